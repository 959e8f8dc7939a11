/** What the runner answers itself: tokens and their keys, and windows on what the service has done. */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { BankSimulator } from '../bank/bank-simulator.ts';
import type { Issuer } from '../issuer/issuer.ts';
import type { Machine } from '../resources/machine.ts';

export interface OwnAnswer {
  readonly status: number;
  readonly body: object;
}

const defaultLimit = 100;
const maxLimit = 1000;
const maxBodyLength = 16_384;

/** Answers a request that is for the runner; undefined for one that is for the API. */
export async function ownAnswer(
  request: IncomingMessage,
  machine: Pick<Machine, 'buses' | 'topics' | 'faults' | 'functions'>,
  issuer: Issuer,
  bank: BankSimulator | undefined,
): Promise<OwnAnswer | undefined> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const method = request.method ?? 'GET';
  const parameters = new URLSearchParams(query);
  const ok = (body: object): OwnAnswer => ({ status: 200, body });
  const bad = (message: string): OwnAnswer => ({ status: 400, body: { message } });
  const limit = limitOf(parameters);
  const listed = (list: (limit: number) => readonly object[]): OwnAnswer =>
    limit === undefined ? bad(`limit must be a number from 1 to ${maxLimit}`) : ok({ items: list(limit) });

  switch (`${method} ${path}`) {
    case 'GET /local/bank/payments':
      return bank && ok({ items: bank.book() });
    case 'PUT /local/bank/settings':
      return bank && configure(bank, parse(await textOf(request)));
    case 'GET /local/events':
      return listed((most) => machine.buses.list({ limit: most, type: parameters.get('type') ?? undefined }));
    case 'GET /local/notifications':
      return listed((most) => machine.topics.list(most));
    case 'GET /local/functions':
      return ok({ items: await machine.functions.usage() });
    case 'GET /local/faults':
      return ok(machine.faults.state());
    case 'PUT /local/faults': {
      const problem = machine.faults.apply(parse(await textOf(request)));
      return problem === undefined ? ok(machine.faults.state()) : bad(problem);
    }
    default:
      return issuer.answer({
        method,
        path,
        authorization: request.headers.authorization,
        form: async () => new URLSearchParams(await textOf(request)),
      });
  }
}

function configure(bank: BankSimulator, settings: unknown): OwnAnswer {
  try {
    return { status: 200, body: bank.configure(settings) };
  } catch (error) {
    if (error instanceof z.ZodError) return { status: 400, body: { message: z.prettifyError(error) } };
    throw error;
  }
}

function limitOf(parameters: URLSearchParams): number | undefined {
  const limit = Number(parameters.get('limit') ?? defaultLimit);
  return Number.isInteger(limit) && limit >= 1 && limit <= maxLimit ? limit : undefined;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) {
    if (text.length < maxBodyLength) text += chunk;
  }
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
