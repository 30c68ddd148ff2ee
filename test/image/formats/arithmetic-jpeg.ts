/** Four colours, coded by `jpegtran -arithmetic` of libjpeg-turbo: no installed library writes these. */
export const arithmeticJpeg = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK' +
    'CgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK' +
    'CgoKCgoKCgr/yQARCAEAAQADASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/AMxz9K1eLT7qgxxxwEe90kP+cUlb' +
    'Z6MhuYb8OSqueGfL+zTtcaQsntuXT7rl9+YxFTCQn0ji1OVmfZin1DbSZstB5BysuN0sE19StvRqLJHFrpweMnfPwNyc7d4h8UE3' +
    'KTY1wMA4dmWWzD20iU4aPnQDksmIGFO1N/cXHnCYIiEDpuwwMC1MjP8A6t0cG5nQ+q775iLQEgbGlZCOS17K+H3ii2vem4OfjNgr' +
    'wWG3Xi0V1//Z',
  'base64',
);

/** The same in several scans, by `jpegtran -arithmetic -progressive`. */
export const progressiveArithmeticJpeg = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK' +
    'CgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK' +
    'CgoKCgoKCgr/ygARCAEAAQADASIAAhEBAxEB/8wABgAQARD/2gAMAwEAAhADEAAAAf8AmMVSJzvUu5ef3xVudRSRXQ7Hsur8g2cn' +
    'woIm2M4/K8hRi+K3m/Pji/KLra+8qJXFvWakOsMpQsyZ0UFTyFqn2755Z4fJLOG8QCGd5/JqMJM/e2zqKqnNJQ332CQlC6mf68qq' +
    '8AqUObKbkWfvJMtHMO4NKK9Ti3gw49unqdtNxJPWQ8H0YK3hw2LNkLyWDcjZDxg9+gmCkvOiNkPGLzMCYKTJoQ2Q4P/MAAQQBf/a' +
    'AAgBAQABBQKm/8wABBEF/9oACAEDAQE/Aab/zAAEEQX/2gAIAQIBAT8Bpv/MAAQQBf/aAAgBAQAGPwKm/8wABBAF/9oACAEBAAE/' +
    'Iab/2gAMAwEAAgADAAAAEEvG/8wABBEF/9oACAEDAQE/EKb/zAAEEQX/2gAIAQIBAT8Qpv/MAAQQBf/aAAgBAQABPxCm/9k=',
  'base64',
);
