/** Lambda: functions in threads of this process, called for an answer or without one. */
import { TemplateError } from '../cloudformation/template.ts';
import { ok } from '../machine/own-routes.ts';
import { resourceType } from '../machine/machine.ts';
import type { Service } from '../machine/machine.ts';
import { sqs } from '../sqs/service.ts';
import { createAsyncInvocations } from './async-invocations.ts';
import type { AsyncInvocations } from './async-invocations.ts';
import type { LocalFunction } from './function-pool.ts';
import { invokePath } from './invoke.ts';
import { createFunctions } from './functions.ts';
import type { Functions } from './functions.ts';

export interface Lambda extends Functions {
  readonly asyncInvocations: AsyncInvocations;
  /** Throws TemplateError when neither name nor ARN is that of a function of the template. */
  readonly functionOf: (nameOrArn: string, where: string) => LocalFunction;
}

interface FunctionProperties {
  readonly Code: { readonly S3Key: string };
  readonly Handler: string;
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> };
  readonly MemorySize?: number;
  readonly Timeout?: number;
  readonly ReservedConcurrentExecutions?: number;
  readonly DeadLetterConfig?: { readonly TargetArn: string };
}

export const lambda: Service<Lambda> = {
  open({ data, endpoint, environment, functions: limits, routes, shutdown }) {
    const functions = createFunctions(limits);
    shutdown.add(() => functions.stop());
    const asyncInvocations = createAsyncInvocations(data.deliveries);
    shutdown.addDraining(() => asyncInvocations.stop());
    endpoint.servePaths(invokePath(functions));
    routes.add({
      route: 'GET /local/functions',
      about: 'the functions: invocations, threads and CPU time of each',
      answer: async () => ok({ items: await functions.usage() }),
    });
    environment['AWS_EXECUTION_ENV'] = 'AWS_Lambda_nodejs24.x';
    environment['AWS_LAMBDA_INITIALIZATION_TYPE'] = 'on-demand';
    environment['TZ'] = ':UTC';
    return {
      ...functions,
      asyncInvocations,
      functionOf(nameOrArn, where) {
        const found = functions.byName(nameOrArn) ?? functions.byArn(nameOrArn);
        if (!found) throw new TemplateError(`${where}: ${nameOrArn} is not a function of this template`);
        return found;
      },
    };
  },
  types: {
    'AWS::Lambda::Function': resourceType<FunctionProperties>({
      shape: {
        Architectures: 'cloud',
        Code: { S3Bucket: 'cloud', S3Key: true },
        DeadLetterConfig: { TargetArn: true },
        Description: 'cloud',
        Environment: { Variables: true },
        Handler: true,
        LoggingConfig: 'cloud',
        MemorySize: true,
        ReservedConcurrentExecutions: true,
        Role: 'cloud',
        Runtime: { only: ['nodejs24.x'] },
        Tags: 'cloud',
        Timeout: true,
        TracingConfig: 'cloud',
      },
      identify: (logicalId, { name, arn }) => ({
        ref: name(logicalId).slice(-64),
        attributes: { Arn: arn('lambda', `function:${name(logicalId).slice(-64)}`) },
      }),
      boot(machine, { logicalId, identity, properties, asset }) {
        const { MemorySize: memoryMb = 128, Timeout: timeoutSeconds = 3 } = properties;
        const made = machine.use(lambda).define({
          name: identity.ref,
          arn: identity.attributes['Arn'] ?? '',
          folder: asset(properties.Code.S3Key),
          handler: properties.Handler,
          environment: {
            ...machine.environment,
            AWS_LAMBDA_FUNCTION_NAME: identity.ref,
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
            AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
            _HANDLER: properties.Handler,
            ...properties.Environment?.Variables,
          },
          memoryMb,
          timeoutSeconds,
          reservedConcurrency: properties.ReservedConcurrentExecutions,
        });
        const deadLettersArn = properties.DeadLetterConfig?.TargetArn;
        if (deadLettersArn === undefined) return;
        const deadLetters = machine.use(sqs).queueOf(deadLettersArn, logicalId);
        machine.use(lambda).asyncInvocations.configure(made, { deadLetters });
      },
    }),
    'AWS::Lambda::EventInvokeConfig': resourceType<{
      DestinationConfig?: { OnFailure?: { Destination: string } };
      FunctionName: string;
      MaximumEventAgeInSeconds?: number;
      MaximumRetryAttempts?: number;
    }>({
      shape: {
        DestinationConfig: { OnFailure: { Destination: true } },
        FunctionName: true,
        MaximumEventAgeInSeconds: true,
        MaximumRetryAttempts: true,
        Qualifier: { only: ['$LATEST'] },
      },
      boot(machine, { logicalId, properties }) {
        const destination = properties.DestinationConfig?.OnFailure?.Destination;
        const { MaximumEventAgeInSeconds: maxAgeSeconds, MaximumRetryAttempts: maxRetries } = properties;
        const { asyncInvocations, functionOf } = machine.use(lambda);
        asyncInvocations.configure(functionOf(properties.FunctionName, logicalId), {
          ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
          ...(maxRetries !== undefined && { maxRetries }),
          ...(destination !== undefined && { onFailure: machine.use(sqs).queueOf(destination, logicalId) }),
        });
      },
    }),
  },
  cloudOnly: ['AWS::Lambda::Permission'],
};
