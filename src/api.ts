// The root entry of the package: what a program that talks to the service needs to know of its answers.
export { type ErrorCode, errorCodes, exitCodes } from './errors.ts';
export type { Config } from './config/schema.ts';
export type { Problem } from './problem.ts';
export type {
  CheckedImageBody,
  FailedImageBody,
  ImageBody,
  LabelBody,
  MapBody,
  ModelBody,
  RuleBody,
  VerdictBody,
} from './http/verdict-body.ts';
export { type Verdict, verdicts } from './model/policy.ts';
