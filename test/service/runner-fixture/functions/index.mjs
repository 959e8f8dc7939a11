import { setTimeout as sleep } from 'node:timers/promises';

let coldStart = true;

// Answers as the request's body says, and by default with the event itself.
export async function echo(event, context) {
  const order = event.body ? JSON.parse(event.body) : {};
  if (order.throw) throw new Error(order.throw);
  if (order.exit) process.exit(3);
  if (order.spin) for (;;);
  if (order.sleepMs) await sleep(order.sleepMs);
  if ('answer' in order) return order.answer;
  const wasCold = coldStart;
  coldStart = false;
  const { GREETING, TABLE_NAME, AWS_LAMBDA_FUNCTION_NAME } = process.env;
  const remainingMs = context.getRemainingTimeInMillis();
  return {
    statusCode: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ event, wasCold, remainingMs, env: { GREETING, TABLE_NAME, AWS_LAMBDA_FUNCTION_NAME } }),
  };
}

// `Bearer allow|deny|crash|odd|refuse`; counts its calls, which the cache of the gateway keeps low.
let asked = 0;
export async function authorizer(event) {
  asked += 1;
  const [, word] = event.headers.Authorization.split(' ');
  if (word === 'refuse') throw new Error('Unauthorized');
  if (word === 'crash') throw new Error('no idea');
  if (word === 'odd') return { principalId: 'odd' };
  return {
    principalId: word,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Action: 'execute-api:Invoke',
          Effect: word === 'deny' ? 'Deny' : 'Allow',
          Resource: `${event.methodArn.split('/').slice(0, 2).join('/')}/*`,
        },
      ],
    },
    context: { asked, trusted: true, issuer: process.env.ISSUER },
  };
}

// Does with each message what its body says.
export async function worker(event) {
  console.log(
    JSON.stringify({ worker: 'start', at: Date.now(), bodies: event.Records.map((record) => record.body), event }),
  );
  const orders = event.Records.map((record) => ({ ...JSON.parse(record.body), messageId: record.messageId }));
  if (orders.some((order) => order.throw)) throw new Error('as ordered');
  if (orders.some((order) => order.odd)) return { batchItemFailures: [{ wrong: 1 }] };
  await sleep(Math.max(0, ...orders.map((order) => order.sleepMs ?? 0)));
  console.log(JSON.stringify({ worker: 'end', at: Date.now(), bodies: event.Records.map((record) => record.body) }));
  return {
    batchItemFailures: orders.filter((order) => order.fail).map(({ messageId }) => ({ itemIdentifier: messageId })),
  };
}

export async function tick() {
  return null;
}
