/** Faults of a call to DynamoDB, as they look on the wire. See `Fault` in engine.ts. */
import type { CancellationReason } from '@aws-sdk/client-dynamodb';
import { HttpResponse } from '@smithy/core/protocols';
import { Readable } from 'node:stream';
import type { Fault } from './engine.ts';

/** Answers with an error of DynamoDB without any effect. `type` is the exception's name. */
export function answer(type: string, status = 400, members: object = {}): Fault {
  return () => {
    const body = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type, ...members });
    return Promise.resolve(
      new HttpResponse({
        statusCode: status,
        headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'injected' },
        body: Readable.from([Buffer.from(body)]),
      }),
    );
  };
}

/** Cancels an atomic write, with one reason for each of its items (`None` for an item without one). */
export function cancelled(...reasons: readonly CancellationReason[]): Fault {
  return answer('TransactionCanceledException', 400, { CancellationReasons: reasons });
}

/** Drops the call before it arrives. */
export const lostRequest: Fault = () => Promise.reject(failure('ECONNRESET', { code: 'ECONNRESET' }));

/** Lets the call take effect and loses its answer to a time-out. */
export const lostAnswer: Fault = async (_call, send) => {
  const response = await send();
  (response.body as Readable).resume();
  throw failure('the answer did not arrive in time', { name: 'TimeoutError' });
};

/** Sends the call twice. The second answer counts. */
export const twice: Fault = async (_call, send) => {
  const response = await send();
  (response.body as Readable).resume();
  return send();
};

/** Runs the statements of a batch, and reports each but the first as failed with this code. */
export function misreported(code: string): Fault {
  return reported((responses) =>
    responses.map((one, index) => (index === 0 ? one : { ...one, Error: { Code: code, Message: code } })),
  );
}

/** Runs the statements of a batch, and answers only the first. */
export const answeredInPart: Fault = reported((responses) => responses.slice(0, 1));

/** Runs the statements of a batch, and changes what is reported of them. */
function reported(change: (responses: readonly object[]) => readonly object[]): Fault {
  return async (_call, send) => {
    const response = await send();
    const chunks = (await (response.body as Readable).toArray()) as Uint8Array[];
    const answered = JSON.parse(Buffer.concat(chunks).toString()) as { Responses?: object[] };
    const Responses = answered.Responses && change(answered.Responses);
    const text = JSON.stringify({ ...answered, ...(Responses && { Responses }) });
    const { statusCode, headers } = response;
    return new HttpResponse({ statusCode, headers, body: Readable.from([Buffer.from(text)]) });
  };
}

/** Applies these faults to the first calls in turn. Later calls pass unchanged. */
export function inTurn(...faults: readonly Fault[]): Fault {
  const left = [...faults];
  return (call, send) => (left.shift() ?? pass)(call, send);
}

const pass: Fault = (_call, send) => send();

export function failure(message: string, members: object): Error {
  return Object.assign(new Error(message), members);
}
