import { region } from '../cloudformation/account.ts';
import { openEndpoint } from '../machine/endpoint.ts';
import { createFaults } from '../machine/faults.ts';
import type { Machine, Service } from '../machine/machine.ts';
import { bad, createOwnRoutes, ok } from '../machine/own-routes.ts';

/** A machine on which services can be opened. */
export interface OpenMachine extends Machine {
  /** Opens the services one after the other. */
  openAll(services: readonly Service[]): Promise<void>;
}

type Given = Pick<Machine, 'baseUrl' | 'data' | 'functions' | 'progress' | 'shutdown'>;

/** Returns a machine without services. */
export async function createMachine(given: Given): Promise<OpenMachine> {
  const opened = new Map<Service, unknown>();
  const endpoint = await openEndpoint();
  given.shutdown.add(() => endpoint.close());
  const faults = createFaults();
  const routes = createOwnRoutes();
  routes.add(
    {
      route: 'GET /local/faults',
      about: 'the services that are switched to fail',
      answer: () => ok(faults.state()),
    },
    {
      route: 'PUT /local/faults',
      about: 'makes services fail: {"sqs": true}, or the share {"sqs": 0.5} of their entries',
      async answer({ json }) {
        const problem = faults.apply(await json());
        return problem === undefined ? ok(faults.state()) : bad(problem);
      },
    },
  );
  const machine: OpenMachine = {
    ...given,
    endpoint,
    faults,
    routes,
    environment: { AWS_REGION: region, AWS_DEFAULT_REGION: region },
    use<Opened>(service: Service<Opened>): Opened {
      if (!opened.has(service)) throw new Error('the service comes later in the list of services');
      return opened.get(service) as Opened;
    },
    async openAll(services) {
      for (const service of services) opened.set(service, await service.open(machine));
    },
  };
  return machine;
}
