/** The headers, parameters and security schemes that operations in docs/openapi.json refer to. */
import { signatureHeader, timestampHeader } from '../lambdas/bank/signature.ts';
import { resourceServer, scopes } from '../lambdas/contract.ts';
import { idempotencyKeyFormat } from '../lambdas/http/request.ts';
import { scopeTexts, textFor } from './openapi-texts.ts';

const headers = {
  'Idempotency-Replayed':
    'There, and `true`, when the key was used before: the transaction, wallet, approval or batch is as it is now',
  'Preference-Applied': 'The preference that was followed',
  'Cache-Control': 'no-store, or for what has an ETag private, no-cache',
  ETag: 'The version of the answer; send it as If-None-Match with the next request',
  Location: 'The path of the new resource, from the root of the host',
  'Retry-After': 'Whole seconds after which a retry makes sense',
  'RateLimit-Limit':
    'The most requests of one kind that an end user may send in any hour. The kinds: accepted commands of one type, refused ' +
    'commands, and all other requests. The last are reads, and commands that were repeated or not valid. ' +
    'Absent for operators, who are not limited, and where another limit was reached',
  'RateLimit-Remaining': 'The most that is left of them: counts of other containers may be missing',
  'RateLimit-Reset':
    'Whole seconds until the fullest window ends. A window is 80 minutes long, and one begins every 20 minutes. ' +
    'A request counts in all windows that cover it, so no hour holds more than the limit',
  Vary: 'An answer is for one caller; long ones are compressed for clients that accept it',
  'WWW-Authenticate': 'Bearer',
} as const;
export type HeaderName = keyof typeof headers;

export const headerComponents = Object.fromEntries(
  Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
);

export const parameterComponents = {
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    required: true,
    description: 'Names this command among those of the caller, for ever: a repetition of the key moves no money',
    schema: { type: 'string', pattern: idempotencyKeyFormat.source },
    example: 'invoice-2026-001',
  },
  'If-None-Match': {
    name: 'If-None-Match',
    in: 'header',
    description: 'Entity tags that the client has; the answer is 304 when the current one is among them',
    schema: { type: 'string' },
  },
};

export const securitySchemes = {
  token: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      "With wallet:read and wallet:write a caller reaches the wallets whose ownerId is the token's `sub`. With " +
      'wallet:charge, wallet:support and wallet:decide it reaches every wallet, on the routes that name them. ' +
      'wallet:operate includes these three. No other scope moves money out of the wallets of others.',
  },
  oauth2: {
    type: 'oauth2',
    description:
      'How a backend gets its tokens. The URL is that of `npm start`. A deployed stack has its own in the output ' +
      'TokenEndpoint. There Cognito writes scopes as `wallet/read`, and gives a backend read, write and charge. ' +
      "With an issuer of your own it is the issuer's.",
    flows: {
      clientCredentials: {
        tokenUrl: '/oauth/token',
        scopes: Object.fromEntries(scopes.map((scope) => [`${resourceServer}:${scope}`, textFor(scopeTexts, scope)])),
      },
    },
  },
  bankTimestamp: { type: 'apiKey', in: 'header', name: timestampHeader, description: 'docs/bank-protocol.md' },
  bankSignature: { type: 'apiKey', in: 'header', name: signatureHeader, description: 'docs/bank-protocol.md' },
};
