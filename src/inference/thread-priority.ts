/**
 * The nice value of model threads: the HTTP thread answers health and refusals while they fill the CPU. On Linux a
 * priority is the calling thread's alone. With 10, threads that decode left them a twentieth of the CPU: beside 12 connections
 * that upload AVIFs of 3400 × 3400, a polite client's median was 0.7 to 1.1 s; with 5 it is 0.4 to 0.5 s.
 */
export const threadPriority = 5;
