import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { nameOfRoute, routes } from '../contract.ts';
import type { FunctionName, RouteName } from '../contract.ts';
import type { serve } from './http.ts';

type Handler = ReturnType<typeof serve>;
/** The routes that a function serves. */
type RoutesOf<Name extends FunctionName> =
  Extract<(typeof routes)[number], { readonly function: Name }> extends infer One
    ? One extends { readonly name: infer Named extends RouteName }
      ? Named
      : Name
    : never;

/** Returns the handler of a function that serves several routes: it hands each request to the handler of its route. */
export function byRoute<Name extends FunctionName>(
  name: Name,
  handlers: Readonly<Record<RoutesOf<Name>, Handler>>,
): Handler {
  const named: Readonly<Partial<Record<RouteName, Handler>>> = handlers;
  const ofRequests = new Map<string, Handler | undefined>(
    routes.flatMap((route) =>
      route.function === name ? [[`${route.method} ${route.path}`, named[nameOfRoute(route)]] as const] : [],
    ),
  );
  const handler = (event: APIGatewayProxyEvent, context: Context) => {
    const request = `${event.httpMethod} ${event.resource}`;
    const ofRoute = ofRequests.get(request);
    if (ofRoute === undefined) throw new Error(`${name} serves no route ${request}`);
    return ofRoute(event, context);
  };
  return handler as Handler;
}
