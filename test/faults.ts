/** What can go wrong with a call to DynamoDB, as it looks on the wire. See `Fault` in engine.ts. */
import type { CancellationReason } from '@aws-sdk/client-dynamodb';
import { HttpResponse } from '@smithy/core/protocols';
import { Readable } from 'node:stream';
import type { Fault } from './engine.ts';

/** DynamoDB answers with an error, and has done nothing. `type` is the exception's name. */
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

/** An atomic write is cancelled, for a reason for each of its items (`None` where there is none). */
export function cancelled(...reasons: readonly CancellationReason[]): Fault {
  return answer('TransactionCanceledException', 400, { CancellationReasons: reasons });
}

/** The call never arrives. */
export const lostRequest: Fault = () => Promise.reject(failure('ECONNRESET', { code: 'ECONNRESET' }));

/** The call takes effect, and its answer comes too late. */
export const lostAnswer: Fault = async (_call, send) => {
  const response = await send();
  (response.body as Readable).resume();
  throw failure('the answer did not arrive in time', { name: 'TimeoutError' });
};

/** The call arrives twice; the second answer counts. */
export const twice: Fault = async (_call, send) => {
  const response = await send();
  (response.body as Readable).resume();
  return send();
};

/** The statements of a batch take effect, and each but the first is reported as failed, with this code. */
export function misreported(code: string): Fault {
  return async (_call, send) => {
    const response = await send();
    const chunks = (await (response.body as Readable).toArray()) as Uint8Array[];
    const answered = JSON.parse(Buffer.concat(chunks).toString()) as { Responses?: object[] };
    const Responses = answered.Responses?.map((one, index) =>
      index === 0 ? one : { ...one, Error: { Code: code, Message: code } },
    );
    const text = JSON.stringify({ ...answered, ...(Responses && { Responses }) });
    const { statusCode, headers } = response;
    return new HttpResponse({ statusCode, headers, body: Readable.from([Buffer.from(text)]) });
  };
}

/** The first calls meet these faults in turn; what follows is sent as it is. */
export function inTurn(...faults: readonly Fault[]): Fault {
  const left = [...faults];
  return (call, send) => (left.shift() ?? pass)(call, send);
}

const pass: Fault = (_call, send) => send();

export function failure(message: string, members: object): Error {
  return Object.assign(new Error(message), members);
}
