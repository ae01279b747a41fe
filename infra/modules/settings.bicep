// The app settings: those of handlers/settings.py, and the few that the platform reads. A test compares them with the code and with docs/settings.md.

import { ticketSystem } from 'tickets.bicep'
import { behaviour } from 'types.bicep'

@description('Required. The name of the function app.')
param appName string

@description('Required. The host name of the function app.')
param hostName string

@description('Required. The client id of the app\'s identity.')
param clientId string

@description('Required. The name of the app\'s storage account.')
param storageName string

@description('Required. Where telemetry goes: the Application Insights component.')
param insightsAddress string

@description('Required. The customer id of the workspace.')
param workspaceCustomerId string

@description('Required. The ids of the watched subscriptions.')
param subscriptionIds string[]

@description('Required. Who may post alerts: key or entra.')
@allowed(['entra', 'key'])
param alertsAuth string

@description('Required. The ticketing system.')
param tickets ticketSystem

@description('Required. Its address, or the Key Vault reference to it.')
@secure()
param ticketUrl string

@description('Required. The Key Vault reference to its secret. The secret may say that there is none.')
param ticketReference string

@description('Required. What the addresses of secrets in the app\'s key vault begin with.')
param vaultAddress string

@description('Required. The Key Vault reference to the keys in the webhook\'s address. Empty: there is none.')
param alertsKeyReference string

@description('Required. Who may open runbook pages: entra or link.')
@allowed(['entra', 'link'])
param pageAuth string

@description('Required. The Key Vault reference to the key that signs links to them. The secret may say that there is none.')
param linkKeyReference string

@description('Required. How the app behaves.')
param behave behaviour

// https://learn.microsoft.com/azure/azure-monitor/logs/api/access-api: the query API's address in each cloud, which `environment()` does not know
var logsEndpoints = {
  AzureCloud: 'https://api.loganalytics.azure.com'
  AzureUSGovernment: 'https://api.loganalytics.us'
  AzureChinaCloud: 'https://api.loganalytics.azure.cn'
}

// What the routes name as the setting of a secret or of an address, each once. TICKET_SECRET_PAYMENTS lies in the app's key vault as ticket-secret-payments.
var named = flatten(map(tickets.?routes ?? [], rule => [rule.?secret_setting ?? '', rule.?url_setting ?? '']))
var places = toObject(
  filter(union(named, named), name => !empty(name)),
  name => name,
  name => '${vaultAddress}${toLower(replace(name, '_', '-'))}'
)
var routeSecrets = mapValues(union(places, tickets.?secretAddresses ?? {}), address => '@Microsoft.KeyVault(SecretUri=${address})')

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: {
    ...routeSecrets // first: no rule takes the place of another setting
    // the platform's
    AzureWebJobsStorage__blobServiceUri: 'https://${storageName}.blob.${environment().suffixes.storage}'
    AzureWebJobsStorage__queueServiceUri: 'https://${storageName}.queue.${environment().suffixes.storage}'
    AzureWebJobsStorage__tableServiceUri: 'https://${storageName}.table.${environment().suffixes.storage}'
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: clientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsAddress
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
    AZURE_CLIENT_ID: clientId
    // Every trace, so that the host drops no log line: by default it takes five traces a second and drops the others with their lines.
    // https://github.com/Azure/azure-functions-host/pull/11568 (read from host 4.1048.100 on), https://learn.microsoft.com/azure/azure-monitor/app/opentelemetry-sampling
    OTEL_TRACES_SAMPLER: 'microsoft.fixed_percentage'
    OTEL_TRACES_SAMPLER_ARG: '1.0'
    PYTHON_THREADPOOL_THREAD_COUNT: '16' // at least batchSize + newBatchThreshold of host.json, and some for HTTP and timers
    MALLOC_ARENA_MAX: '2' // many threads that decode JSON would else keep a heap each: a third less memory in a storm
    // the app's: what this deployment knows, and the ticketing system
    ARM_ENDPOINT: environment().resourceManager
    LOGS_ENDPOINT: logsEndpoints[environment().name]
    LOG_ANALYTICS_WORKSPACE_ID: workspaceCustomerId
    WATCHED_SUBSCRIPTIONS: join(subscriptionIds, ',')
    ALERTS_AUTH: alertsAuth
    ALERTS_KEY: alertsKeyReference
    PUBLIC_URL: 'https://${hostName}'
    PAGE_AUTH: pageAuth
    LINK_KEY: linkKeyReference
    TICKET_URL: ticketUrl
    TICKET_TARGET: tickets.?target ?? 'webhook'
    TICKET_TARGET_FILE: tickets.?targetFile ?? ''
    TICKET_USER: tickets.?user ?? ''
    TICKET_SECRET: ticketReference
    TICKET_OPTIONS: string(tickets.?options ?? {})
    TICKET_ROUTES: string(tickets.?routes ?? [])
    MAINTENANCE: string(tickets.?maintenance ?? [])
    MAINTENANCE_TAG: tickets.?maintenanceTag ?? ''
    TICKET_HTTP_HOSTS: join(tickets.?httpHosts ?? [], ',')
    // written by `make docs`: what `behave` leaves out has the default of handlers/settings.py
    SWEEP_SCHEDULE: behave.?sweepSchedule ?? '0 */15 * * * *'
    RUNBOOK_LANGUAGE: behave.?runbookLanguage ?? 'en'
    STORM_THRESHOLD: string(behave.?stormThreshold ?? 20)
    STORM_WINDOW_MINUTES: string(behave.?stormWindowMinutes ?? 15)
    CANARY: behave.?canary ?? 'quiet'
    CANARY_SCHEDULE: behave.?canarySchedule ?? '0 0 6 * * *'
    SEVERITY_FROM: behave.?severityFrom ?? 'alert'
    OPERATOR_SHELL: behave.?operatorShell ?? 'both'
    OWNER_TAGS: behave.?ownerTags ?? 'owner,team'
    SHOW_ACTORS: string(behave.?showActors ?? true)
    MCP_TOOLS: behave.?mcpTools ?? 'off'
  }
}
