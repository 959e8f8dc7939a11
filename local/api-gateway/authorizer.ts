/** Request authorizers of API Gateway: identity sources, the function's policy, and its caching. */
import { isRecord } from '../cloudformation/template.ts';
import type { LocalFunction } from '../lambda/function-pool.ts';
import { FunctionError } from '../lambda/function-thread.ts';
import type { Refusal } from './gateway-responses.ts';

export interface AuthorizerSettings {
  readonly target: LocalFunction;
  /** Request headers that must be there and that answers are kept by, in lower case. */
  readonly identityHeaders: readonly string[];
  /** How long an answer is kept, in seconds; 0 asks each time. */
  readonly ttlSeconds: number;
}

export type Verdict =
  | { readonly allowed: true; readonly context: Readonly<Record<string, string>> }
  | { readonly allowed: false; readonly refusal: Refusal };

/** @param methodArn what the request wants to invoke; @param event the request as the function sees it */
export type Authorizer = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
  methodArn: string,
  event: object,
) => Promise<Verdict>;

interface Decision {
  readonly statements: readonly Statement[];
  readonly context: Readonly<Record<string, string>>;
}

interface Statement {
  readonly allow: boolean;
  readonly resources: readonly RegExp[];
}

const maxKeptAnswers = 10_000;
const refuse = (refusal: Refusal): Verdict => ({ allowed: false, refusal });

export function createAuthorizer(settings: AuthorizerSettings, now: () => number = Date.now): Authorizer {
  const kept = new Map<string, { readonly decision: Decision; readonly until: number }>();
  const asking = new Map<string, Promise<Decision | Refusal>>();

  async function ask(key: string, event: object): Promise<Decision | Refusal> {
    try {
      const decision = readDecision(await settings.target.invoke(event, 'request'));
      if (!decision) return 'AUTHORIZER_CONFIGURATION_ERROR';
      if (settings.ttlSeconds > 0) {
        const [oldest] = kept.keys();
        if (kept.size >= maxKeptAnswers && oldest !== undefined) kept.delete(oldest);
        kept.set(key, { decision, until: now() + settings.ttlSeconds * 1000 });
      }
      return decision;
    } catch (error) {
      if (!(error instanceof FunctionError)) return 'AUTHORIZER_FAILURE';
      if (error.errorType === 'TooManyRequests') return 'THROTTLED';
      return error.message === 'Unauthorized' ? 'UNAUTHORIZED' : 'AUTHORIZER_FAILURE';
    } finally {
      asking.delete(key);
    }
  }

  return async (headers, methodArn, event) => {
    const identity = settings.identityHeaders.map((name) => headers[name]);
    if (identity.some((value) => value === undefined || value === '')) return refuse('UNAUTHORIZED');
    const key = JSON.stringify(identity);
    const known = kept.get(key);
    if (known && known.until <= now()) kept.delete(key);
    let decision: Decision | Refusal;
    if (known && known.until > now()) {
      decision = known.decision;
    } else {
      // Without caching each request is asked about by itself: its answer may depend on more than the identity.
      const running = settings.ttlSeconds > 0 ? asking.get(key) : undefined;
      const question = running ?? ask(key, { ...event, type: 'REQUEST', methodArn });
      asking.set(key, question);
      decision = await question;
    }
    if (typeof decision === 'string') return refuse(decision);
    return allows(decision, methodArn) ? { allowed: true, context: decision.context } : refuse('ACCESS_DENIED');
  };
}

function allows(decision: Decision, methodArn: string): boolean {
  const matching = decision.statements.filter(({ resources }) => resources.some((pattern) => pattern.test(methodArn)));
  return matching.length > 0 && matching.every(({ allow }) => allow);
}

function readDecision(answer: unknown): Decision | undefined {
  if (!isRecord(answer) || typeof answer['principalId'] !== 'string' || !isRecord(answer['policyDocument'])) {
    return undefined;
  }
  const { context = {} } = answer;
  if (!isRecord(context)) return undefined;
  const values = Object.entries(context);
  if (values.some(([, value]) => !['string', 'number', 'boolean'].includes(typeof value))) return undefined;
  const given = answer['policyDocument']['Statement'];
  const statements: Statement[] = [];
  for (const statement of (Array.isArray(given) ? given : [given]) as unknown[]) {
    if (!isRecord(statement) || (statement['Effect'] !== 'Allow' && statement['Effect'] !== 'Deny')) return undefined;
    const actions = strings(statement['Action']);
    if (!actions.some((action) => wildcard(action).test('execute-api:Invoke'))) continue;
    statements.push({
      allow: statement['Effect'] === 'Allow',
      resources: strings(statement['Resource']).map(wildcard),
    });
  }
  return {
    statements,
    context: {
      ...Object.fromEntries(values.map(([name, value]) => [name, String(value)])),
      principalId: answer['principalId'],
    },
  };
}

const strings = (value: unknown): string[] => (Array.isArray(value) ? value : [value]).map(String);

function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'is');
}
