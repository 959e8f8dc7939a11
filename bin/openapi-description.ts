/** The description of the API at the top of docs/openapi.json. */
import { maxBodyBytes } from '../lambdas/contract.ts';
import { writesEndMs } from '../lambdas/store/table.ts';

/**
 * Seconds after which a refusal is final. A request's last try may begin 8 s after the gateway received it, and times
 * out 1.5 s later.
 */
const refusalFinalSeconds = Math.ceil((writesEndMs + 1_500) / 1000);

export const apiDescription = [
  'Money is an integer in minor units. Times are ISO 8601, UTC. Ids and cursors are opaque.',
  `A request body is JSON of at most ${maxBodyBytes} bytes. Members and query parameters not named here are refused.`,
  'An answer may have more members than its schema names: ignore members that you do not know.',
  'Lists of values in answers are open (`x-extensible-enum`): a later version may have more of them.',
  'A number is written in digits only: neither 1.0 nor 1e2. No object has a name twice.',
  'A repeated command is answered as the first one was, with the transaction or wallet as it is now.',
  'A wallet that an operator has opened is answered as it was opened.',
  `A refusal is final ${refusalFinalSeconds} seconds after the last request with its key: an earlier one may be under way until then.`,
  '401, 403 and 429 say nothing about an earlier request with the key: it may have moved money, so retry with the same key.',
  'When a caller is over a limit, a repetition of an accepted command is still answered. Such an answer takes a read. These reads have a limit as high as that of refused commands: above it a repetition gets 429 too.',
  'Requests to cancel or release have a limit of their own: reads do not count against it.',
  'End users are limited: the headers RateLimit-* show how many requests are left, and 429 `rate_limited` has the time of the next one.',
].join(' ');
