// azd reads its own environment (azd env set NAME value); az reads the shell's. Only TICKET_URL and, for Entra, what entra.sh prints must be set.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'prod')
param resourceGroupName = readEnvironmentVariable('RESOURCE_GROUP', '')
param tickets = {
  target: readEnvironmentVariable('TICKET_TARGET', 'webhook')
  user: readEnvironmentVariable('TICKET_USER', '')
  options: json(readEnvironmentVariable('TICKET_OPTIONS', '{}'))
  targetFile: readEnvironmentVariable('TICKET_TARGET_FILE', '')
  httpHosts: json(readEnvironmentVariable('TICKET_HTTP_HOSTS', '[]'))
  routes: json(readEnvironmentVariable('TICKET_ROUTES', '[]'))
  secretAddresses: json(readEnvironmentVariable('TICKET_SECRET_ADDRESSES', '{}'))
  maintenance: json(readEnvironmentVariable('MAINTENANCE', '[]'))
  maintenanceTag: readEnvironmentVariable('MAINTENANCE_TAG', '')
}
param ticketUrl = readEnvironmentVariable('TICKET_URL') // the one without a default: Bicep says that it is missing
param ticketUrlPlace = readEnvironmentVariable('TICKET_URL_PLACE', 'auto')
param ticketSecret = readEnvironmentVariable('TICKET_SECRET', '')
// {"TICKET_SECRET_PAYMENTS": "…"}: what `secret_setting` and `url_setting` of TICKET_ROUTES name
param ticketRouteSecrets = json(readEnvironmentVariable('TICKET_ROUTE_SECRETS', '{}'))
param keyVaultId = readEnvironmentVariable('KEY_VAULT_ID', '')
param secretWriters = json(readEnvironmentVariable('SECRET_WRITERS', '[]'))

// [{"id": "<subscription>", "resourceGroup": "<group in it>", "vaults": ["<resource id>"]}]; empty: this subscription
param watched = json(readEnvironmentVariable('WATCHED', '[]'))
param assignReaderRole = bool(readEnvironmentVariable('ASSIGN_READER_ROLE', 'true'))
param sources = json(readEnvironmentVariable('SOURCES', '{}'))
param workspaceId = readEnvironmentVariable('WORKSPACE_ID', '')
param retentionDays = int(readEnvironmentVariable('RETENTION_DAYS', '90'))
param onlyItsTables = bool(readEnvironmentVariable('ONLY_ITS_TABLES', 'false'))

param alertsAuth = readEnvironmentVariable('ALERTS_AUTH', 'entra')
param alertsClientId = readEnvironmentVariable('ALERTS_CLIENT_ID', '')
param alertsObjectId = readEnvironmentVariable('ALERTS_OBJECT_ID', '')
param alertsKey = readEnvironmentVariable('ALERTS_KEY', '')
param pageAuth = readEnvironmentVariable('PAGE_AUTH', 'link')
param linkKey = readEnvironmentVariable('LINK_KEY', '')
param onlyActionGroups = bool(readEnvironmentVariable('ONLY_ACTION_GROUPS', 'false'))

param fallbackEmails = json(readEnvironmentVariable('FALLBACK_EMAILS', '[]'))
param operatorEmails = json(readEnvironmentVariable('OPERATOR_EMAILS', '[]'))
param operatorActionGroupId = readEnvironmentVariable('OPERATOR_ACTION_GROUP', '')
param furtherActionGroupIds = json(readEnvironmentVariable('FURTHER_ACTION_GROUPS', '[]'))
param watchOurselves = bool(readEnvironmentVariable('WATCH_OURSELVES', 'true'))
// {"runbookLanguage": "pt-BR", "stormThreshold": 30}: the names are those of the type `behaviour` in modules/types.bicep
param behave = union(
  { runbookLanguage: readEnvironmentVariable('RUNBOOK_LANGUAGE', 'en') },
  json(readEnvironmentVariable('BEHAVE', '{}'))
)

param instanceMemoryMB = int(readEnvironmentVariable('INSTANCE_MEMORY_MB', '2048'))
param maximumInstanceCount = int(readEnvironmentVariable('MAXIMUM_INSTANCE_COUNT', '40'))
param alwaysReadyInstances = int(readEnvironmentVariable('ALWAYS_READY_INSTANCES', '0'))
param isZoneRedundant = bool(readEnvironmentVariable('ZONE_REDUNDANT', 'false'))
param auditLogs = bool(readEnvironmentVariable('AUDIT_LOGS', 'true'))
param lockResources = bool(readEnvironmentVariable('LOCK_RESOURCES', 'false'))
param isPrivate = bool(readEnvironmentVariable('PRIVATE', 'false'))
param addressPrefix = readEnvironmentVariable('ADDRESS_PREFIX', '10.60.0.0/24')
// {"id": …, "appSubnetId": …, "endpointSubnetId": …}; null: a new one
param network = json(readEnvironmentVariable('NETWORK', 'null'))
param privateDnsZones = json(readEnvironmentVariable('PRIVATE_DNS_ZONES', 'null'))
param tags = json(readEnvironmentVariable('TAGS', '{}'))
