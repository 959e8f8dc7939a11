import { fileURLToPath } from 'node:url';
import { CfnParameter, Duration, Fn, Size, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as cognito from 'aws-cdk-lib/aws-cognito';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

const functions = fileURLToPath(new URL('functions', import.meta.url));

/** A small service that uses each resource type the runner boots, so that the runner is tested in its own right. */
export class FixtureStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const greeting = new CfnParameter(this, 'Greeting', { default: 'hello' });
    const table = new dynamodb.TableV2(this, 'Table', {
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      globalSecondaryIndexes: [
        { indexName: 'byOwner', partitionKey: { name: 'owner', type: dynamodb.AttributeType.STRING } },
      ],
      dynamoStream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'ttl',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    });
    const deadLetters = new sqs.Queue(this, 'DeadLetters');
    const work = new sqs.Queue(this, 'Work', {
      visibilityTimeout: Duration.seconds(2),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: 3 },
    });
    const secret = new secretsmanager.Secret(this, 'Secret', { generateSecretString: { passwordLength: 48 } });
    const environment = {
      TABLE_NAME: table.tableName,
      WORK_QUEUE_URL: work.queueUrl,
      SECRET_ARN: secret.secretArn,
      GREETING: Fn.join(' ', [greeting.valueAsString, 'world']),
    };
    const make = (name: string, timeoutSeconds = 5): lambda.Function =>
      new lambda.Function(this, name, {
        code: lambda.Code.fromAsset(functions),
        handler: `index.${name}`,
        runtime: lambda.Runtime.NODEJS_24_X,
        timeout: Duration.seconds(timeoutSeconds),
        memorySize: 256,
        environment,
      });

    const worker = make('worker', 1);
    worker.addEventSource(new SqsEventSource(work, { batchSize: 5, maxConcurrency: 2, reportBatchItemFailures: true }));
    const tick = make('tick');
    new events.Rule(this, 'Every', {
      schedule: events.Schedule.rate(Duration.minutes(1)),
      targets: [new targets.LambdaFunction(tick)],
    });

    const pool = new cognito.UserPool(this, 'Pool');
    const read = new cognito.ResourceServerScope({ scopeName: 'read', scopeDescription: 'read' });
    const resourceServer = pool.addResourceServer('Api', { identifier: 'wallet', scopes: [read] });
    pool.addClient('Client', {
      generateSecret: true,
      oAuth: {
        flows: { clientCredentials: true },
        scopes: [cognito.OAuthScope.resourceServer(resourceServer, read)],
      },
    });
    pool.addDomain('Domain', { cognitoDomain: { domainPrefix: 'runner-fixture' } });

    const guard = make('authorizer');
    guard.addEnvironment('ISSUER', pool.userPoolProviderUrl);
    const authorizer = new apigateway.RequestAuthorizer(this, 'Authorizer', {
      handler: guard,
      identitySources: [apigateway.IdentitySource.header('Authorization')],
      resultsCacheTtl: Duration.minutes(5),
    });
    const api = new apigateway.RestApi(this, 'Rest', {
      minCompressionSize: Size.kibibytes(1),
      defaultMethodOptions: { authorizer },
      deployOptions: {
        throttlingRateLimit: 2000,
        throttlingBurstLimit: 1000,
        methodOptions: { '/things/seldom/GET': { throttlingRateLimit: 0.001, throttlingBurstLimit: 2 } },
      },
    });
    const problem = (code: string): Record<string, string> => ({
      'application/json': `{"code":"${code}","detail":$context.error.messageString,"requestId":"$context.requestId"}`,
    });
    for (const [type, code] of [
      [apigateway.ResponseType.UNAUTHORIZED, 'unauthorized'],
      [apigateway.ResponseType.ACCESS_DENIED, 'forbidden'],
      [apigateway.ResponseType.REQUEST_TOO_LARGE, 'payload_too_large'],
      [apigateway.ResponseType.INTEGRATION_TIMEOUT, 'timeout'],
      [apigateway.ResponseType.DEFAULT_4XX, 'client_error'],
      [apigateway.ResponseType.DEFAULT_5XX, 'internal_error'],
    ] as const) {
      api.addGatewayResponse(`${code}Response`, {
        type,
        responseHeaders: { 'Content-Type': "'application/problem+json'" },
        templates: problem(code),
      });
    }
    api.addGatewayResponse('missingRoute', {
      type: apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN,
      statusCode: '404',
      templates: problem('not_found'),
    });
    const echo = new apigateway.LambdaIntegration(make('echo', 2));
    const things = api.root.addResource('things');
    things.addMethod('POST', echo);
    things.addResource('{thingId}').addMethod('GET', echo);
    things.addResource('seldom').addMethod('GET', echo);
    things.addResource('special').addMethod('GET', echo, { authorizationType: apigateway.AuthorizationType.NONE });
    api.root.addResource('open').addMethod('POST', echo, { authorizationType: apigateway.AuthorizationType.NONE });
  }
}
