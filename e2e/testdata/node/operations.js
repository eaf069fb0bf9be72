// Runs each of AppFabric's operations with the AWS SDK for JavaScript, and its
// four paginators.
'use strict';

const assert = require('node:assert');
const AWS = require('aws-sdk');

const tenants = ['https://app.terraform.io/app/example-org', 'example-org']; // two names of one organization

// By itself this SDK reads neither variable.
const appfabric = new AWS.AppFabric({
  region: process.env.AWS_REGION,
  endpoint: process.env.AWS_ENDPOINT_URL_APPFABRIC,
  credentials: new AWS.SharedIniFileCredentials({ filename: process.env.AWS_SHARED_CREDENTIALS_FILE }),
});
const call = (operation, request = {}) => appfabric[operation](request).promise();

// pages counts the pages of one element each.
const pages = (operation, elements, request = {}) => new Promise((resolve, reject) => {
  const found = [];
  appfabric[operation]({ ...request, maxResults: 1 }).eachPage((err, page) => {
    if (err) return reject(err);
    if (page) {
      found.push(page[elements].length);
      return true;
    }
    assert.deepStrictEqual(found, [1, 1], operation);
    resolve();
  });
});

// refused expects an exception and returns it.
async function refused(code, status, promise) {
  const err = await promise.then(() => assert.fail(`want ${code}`), (e) => e);
  assert.strictEqual(err.code, code, err);
  assert.strictEqual(err.statusCode, status);
  assert.match(err.requestId, /^[0-9a-f-]{36}$/);
  return err;
}

const bucket = (more = {}) => ({ auditLog: { destination: { s3Bucket: { bucketName: 'audit-logs', ...more } } } });

// search looks for a person and returns what came of the tasks.
async function search(ofBundle, email) {
  const started = await call('startUserAccessTasks', { ...ofBundle, email });
  const taskIdList = started.userAccessTasksList.map((task) => task.taskId);
  for (;;) {
    const { userAccessResultsList: results } = await call('batchGetUserAccessTasks', { ...ofBundle, taskIdList });
    assert.deepStrictEqual(results.map((r) => r.taskId), taskIdList);
    if (results.every((r) => r.resultStatus !== 'IN_PROGRESS')) return results;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function main() {
  const bundle = (await call('createAppBundle', { tags: [{ key: 'empty', value: '' }] })).appBundle.arn;
  const second = (await call('createAppBundle')).appBundle.arn;
  const ofBundle = { appBundleIdentifier: bundle };
  assert.strictEqual((await call('getAppBundle', ofBundle)).appBundle.arn, bundle);
  await pages('listAppBundles', 'appBundleSummaryList');

  const authorizations = [], ingestions = [], destinations = [];
  for (const tenant of tenants) {
    const made = (await call('createAppAuthorization', {
      ...ofBundle, app: 'TERRAFORMCLOUD', authType: 'apiKey', credential: { apiKeyCredential: { apiKey: process.env.TOKEN } },
      tenant: { tenantIdentifier: tenant, tenantDisplayName: 'Example' },
    })).appAuthorization;
    const connected = await call('connectAppAuthorization', { ...ofBundle, appAuthorizationIdentifier: made.appAuthorizationArn });
    assert.strictEqual(connected.appAuthorizationSummary.status, 'Connected');
    authorizations.push(made.appAuthorizationArn);
    ingestions.push((await call('createIngestion', { ...ofBundle, app: 'TERRAFORMCLOUD', tenantId: tenant, ingestionType: 'auditLog' })).ingestion.arn);
  }
  await pages('listAppAuthorizations', 'appAuthorizationSummaryList', ofBundle);
  await pages('listIngestions', 'ingestions', ofBundle);

  const ofAuthorization = { ...ofBundle, appAuthorizationIdentifier: authorizations[0] };
  await call('updateAppAuthorization', { ...ofAuthorization, tenant: { tenantIdentifier: tenants[0], tenantDisplayName: 'Beispiel' } });
  const read = (await call('getAppAuthorization', ofAuthorization)).appAuthorization;
  assert.strictEqual(read.tenant.tenantDisplayName, 'Beispiel');
  assert.ok(read.createdAt instanceof Date && read.createdAt <= read.updatedAt, read.createdAt);

  const ofIngestion = { ...ofBundle, ingestionIdentifier: ingestions[0] };
  await call('stopIngestion', ofIngestion);
  assert.strictEqual((await call('getIngestion', ofIngestion)).ingestion.state, 'disabled');
  await call('startIngestion', ofIngestion);
  await refused('ConflictException', 409, call('startIngestion', ofIngestion));

  for (const schema of ['ocsf', 'raw']) {
    destinations.push((await call('createIngestionDestination', {
      ...ofIngestion, processingConfiguration: { auditLog: { schema, format: 'json' } }, destinationConfiguration: bucket(),
    })).ingestionDestination.arn);
  }
  await pages('listIngestionDestinations', 'ingestionDestinations', ofIngestion);
  const ofDestination = { ...ofIngestion, ingestionDestinationIdentifier: destinations[0] };
  await call('updateIngestionDestination', { ...ofDestination, destinationConfiguration: bucket({ prefix: 'testing' }) });
  const destination = (await call('getIngestionDestination', ofDestination)).ingestionDestination;
  assert.deepStrictEqual(destination.destinationConfiguration, bucket({ prefix: 'testing' }));

  await call('tagResource', { resourceArn: bundle, tags: [{ key: 'ключ', value: 'a/b +' }, { key: 'gone', value: 'x' }] });
  await call('untagResource', { resourceArn: bundle, tagKeys: ['gone'] });
  const { tags } = await call('listTagsForResource', { resourceArn: bundle });
  assert.deepStrictEqual(Object.fromEntries(tags.map((t) => [t.key, t.value])), { empty: '', ключ: 'a/b +' });

  const [found, none] = [await search(ofBundle, 'zoe.mueller@example.com'), await search(ofBundle, 'nobody@example.com')];
  assert.deepStrictEqual(found.map((r) => [r.resultStatus, r.userId, r.userStatus]), Array(2).fill(['COMPLETED', 'user-V3R563qtJNcExAkN', 'active']));
  assert.deepStrictEqual(none.map((r) => [r.resultStatus, r.taskError.errorMessage]), Array(2).fill(['FAILED', 'The user not found']));
  const gone = await refused('ResourceNotFoundException', 404, call('batchGetUserAccessTasks', { ...ofBundle, taskIdList: ['00000000-0000-4000-8000-000000000000'] }));
  assert.match(gone.message, /UserAccessTask/);
  await refused('ValidationException', 400, call('getAppBundle', { appBundleIdentifier: 'arn:' }));

  for (const arn of destinations) await call('deleteIngestionDestination', { ...ofIngestion, ingestionDestinationIdentifier: arn });
  for (const arn of ingestions) await call('deleteIngestion', { ...ofBundle, ingestionIdentifier: arn });
  for (const arn of authorizations) await call('deleteAppAuthorization', { ...ofBundle, appAuthorizationIdentifier: arn });
  for (const arn of [bundle, second]) await call('deleteAppBundle', { appBundleIdentifier: arn });
  await refused('ResourceNotFoundException', 404, call('getAppBundle', ofBundle));
  console.log('done');
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
