import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** The context in which a service keeps its name for the constructs below it. */
const serviceNameContext = 'wallet:serviceName';

/**
 * Gives a service its name: the stack's, and the ids below it. Two services in one account and region have two names, as
 * the stack's name is unique there. The name is the dimension of the service's metrics, and begins those of its alarms.
 * A nested stack has a name at deployment only, so it counts as a part of the stack around it.
 */
export function nameService(service: Construct): void {
  let stack = Stack.of(service);
  while (stack.nestedStackParent) stack = stack.nestedStackParent;
  const ids = service.node.scopes.slice(stack.node.scopes.length).map(({ node }) => node.id);
  service.node.setContext(serviceNameContext, [stack.stackName, ...ids].join('-'));
}

/** Returns the name of the service that the construct belongs to. */
export function serviceNameOf({ node }: Construct): string {
  return node.getContext(serviceNameContext) as string;
}
