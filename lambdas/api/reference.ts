import document from '../../docs/openapi.json' with { type: 'json' };
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { createHash } from 'node:crypto';
import { byRoute } from '../http/by-route.ts';
import { conditional } from '../http/conditional.ts';
import { serve } from '../http/http.ts';
import type { RouteHandler } from '../http/http.ts';
import type { Answer } from '../http/problem.ts';
import { refuseQuery } from '../http/request.ts';
import { referencePage, referenceStyle } from '../views/reference-page.ts';

/** A text that every caller gets, with its headers. */
interface Published {
  readonly text: string;
  readonly version: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The texts of the routes. */
export interface ReferenceServices {
  readonly description: Published;
  readonly page: Published;
}

/** Caches may keep the texts for so long without asking: they change with a deployment only. */
const maxAgeSeconds = 300;

/** `GET /openapi.json`: this description of the API, for generators of clients. */
export const getDescription: RouteHandler<ReferenceServices> = {
  name: 'get-description',
  isCommand: false,
  isKeyed: false,
  handle: (event, { description }) => Promise.resolve().then(() => answerWith(description, event)),
};

/** `GET /docs`: the same as a page, for people. */
export const getReference: RouteHandler<ReferenceServices> = {
  name: 'get-reference',
  isCommand: false,
  isKeyed: false,
  handle: (event, { page }) => Promise.resolve().then(() => answerWith(page, event)),
};

/** Returns the text, or 304 when the client has it. */
function answerWith({ text, version, headers }: Published, event: APIGatewayProxyEvent): Answer {
  refuseQuery(event);
  const answer = conditional(event, {}, version);
  const isNew = answer.status === 200;
  return {
    status: answer.status,
    headers: { ...answer.headers, ...(isNew && headers), 'Cache-Control': `public, max-age=${maxAgeSeconds}` },
    ...(isNew && { text }),
  };
}

/** Returns the texts, made from the description that is a part of the code. */
export function openReference(): ReferenceServices {
  const style = hashOf(referenceStyle, 'base64');
  return {
    description: published(JSON.stringify(document), { 'Content-Type': 'application/json' }),
    page: published(referencePage(document), {
      'Content-Type': 'text/html; charset=utf-8',
      // The page has this one style. Nothing else loads, and no script runs.
      'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    }),
  };
}

function published(text: string, headers: Readonly<Record<string, string>>): Published {
  return { text, version: hashOf(text, 'base64url'), headers };
}

function hashOf(text: string, encoding: 'base64' | 'base64url'): string {
  return createHash('sha256').update(text).digest(encoding);
}

export function open() {
  const services = openReference();
  return byRoute('reference', {
    'get-description': serve(getDescription, services),
    'get-reference': serve(getReference, services),
  });
}
