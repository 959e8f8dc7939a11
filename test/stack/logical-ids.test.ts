/**
 * The logical ids of all that keeps state or an address. CloudFormation knows a resource by this id alone: under another
 * one it makes an empty resource and lets go of the one with the data.
 */
import assert from 'node:assert/strict';
import { it } from '@jest/globals';
import { resourcesOf, synthesize } from './synthesized.ts';

const pinned: Readonly<Record<string, readonly string[]>> = {
  'AWS::DynamoDB::GlobalTable': [
    'ServiceEntriesTable07C698C3',
    'ServiceFraudActivityTable5807364B',
    'ServiceLedgerTable8C64106D',
    'ServiceNotificationsSentTableBB7658E8',
  ],
  'AWS::S3::Bucket': ['ServiceAuditBucketA327F1D4'],
  'AWS::SecretsManager::Secret': [
    'ServiceEventsFingerprintKeyFBF39A57',
    'ServiceWithdrawalsBankNotificationSecret0019E9CD',
    'ServiceWithdrawalsBankSecret80798038',
  ],
  'AWS::Cognito::UserPool': ['ServiceTokensCognitoUserPoolCF4642C5'],
  'AWS::Cognito::UserPoolClient': [
    'ServiceTokensCognitoUserPoolMachineClient8581DAA3',
    'ServiceTokensCognitoUserPoolPeopleClient23E0CA87',
  ],
  'AWS::Cognito::UserPoolDomain': ['ServiceTokensCognitoUserPoolDomainA2B9F853'],
  'AWS::Cognito::UserPoolGroup': [
    'ServiceTokensCognitoUserPoolwalletdecideFF4DCB53',
    'ServiceTokensCognitoUserPoolwalletsupport2C9BE602',
  ],
  'AWS::Cognito::UserPoolResourceServer': ['ServiceTokensCognitoUserPoolResourceServer6BA05480'],
  'AWS::SQS::Queue': [
    'ServiceAuditUndeliveredC641F12E',
    'ServiceEventsStreamSetAside7BADEE27',
    'ServiceFraudWorkDeadLettersB5CC3A9B',
    'ServiceFraudWorkQueue242C144D',
    'ServiceNotificationsWorkDeadLettersC849094D',
    'ServiceNotificationsWorkQueueAD094950',
    'ServiceProjectorStreamSetAside77DE1E24',
    'ServiceTransfersWorkDeadLetters7E11ED5B',
    'ServiceTransfersWorkQueue7C6BBD7A',
    'ServiceWithdrawalsWorkDeadLettersBC7CFEF8',
    'ServiceWithdrawalsWorkQueue5208AAA1',
  ],
  'AWS::SNS::Topic': ['ServiceNotificationsTopic83F906E1'],
  'AWS::Events::EventBus': ['ServiceEventsBus16F76455'],
  'AWS::Events::Archive': ['ServiceEventsReplayArchive5841B545'],
  'AWS::KinesisFirehose::DeliveryStream': ['ServiceAuditStream6DC04D2C'],
  // Callers and the bank know its address.
  'AWS::ApiGateway::RestApi': ['ServiceApiRestApiD01AE7DF'],
  'AWS::ApiGateway::Stage': ['ServiceApiRestApiDeploymentStageprod31F665E2'],
};

const consequence =
  'an update of a deployed stack would make this resource anew, empty or with another address, and let go of the ' +
  'one with the data: keep the ids of the constructs around it';

it('the resources that keep state or an address have the ids that deployed stacks know', () => {
  const { template } = synthesize({ people: { callbackUrls: ['https://desk.example/'] } });
  for (const [type, ids] of Object.entries(pinned)) {
    assert.deepEqual([...resourcesOf(template, type).keys()].sort(), ids, `${type}: ${consequence}`);
  }
});
