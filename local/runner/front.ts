/** The public port of a running stack: the runner's own routes, the template's API, and links to both at `/`. */
import { buildGateway, apiGateway, routesOf } from '../api-gateway/service.ts';
import type { RequestHandler } from '../http/server.ts';
import { sendJson } from '../http/server.ts';
import { lambda } from '../lambda/service.ts';
import type { Machine } from '../machine/machine.ts';

/** Returns the handler of the requests at the public port. */
export function createFront(machine: Machine, stackName: string): RequestHandler {
  const draft = machine.use(apiGateway);
  const gateway = buildGateway(draft, machine.use(lambda));
  const api = routesOf(draft);
  const isIndex = (method: string | undefined, url: string | undefined): boolean =>
    method === 'GET' && /^\/(\?|$)/.test(url ?? '/') && !api.some((route) => /^(GET|ANY) \/$/.test(route));
  return async (request, response) => {
    const own = machine.routes.answer(request);
    if (own) {
      const { status, body } = await own;
      sendJson(response, status, body);
    } else if (isIndex(request.method, request.url)) {
      sendJson(response, 200, index(machine, stackName, api));
    } else if (gateway) {
      await gateway(request, response);
    } else {
      sendJson(response, 404, { message: 'Not Found' });
    }
  };
}

/** Returns the links for a person who opens the base URL. */
function index({ baseUrl, routes }: Machine, stackName: string, api: readonly string[]): object {
  const link = (route: string): object => {
    const [method, path = ''] = route.split(' ', 2);
    return { method, url: `${baseUrl}${path}` };
  };
  return {
    stack: stackName,
    api: api.filter((route) => !route.startsWith('OPTIONS ')).map(link),
    local: routes.list().map(({ route, about }) => ({ ...link(route), about })),
  };
}
