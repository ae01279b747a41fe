// Backup Runbooks in a subscription: what there is, one module for each concern. README.md says how to deploy it.
targetScope = 'subscription'

metadata name = 'Backup Runbooks'
metadata description = 'Turns failed backups of Azure virtual machines into tickets with a runbook.'

import { givenNetwork, givenZones } from 'modules/given.bicep'
import { ticketSystem } from 'modules/tickets.bicep'
import { alertSources, behaviour, watchedSubscription } from 'modules/types.bicep'

// ------------------------------------------------------------------------------------------------ parameters

@description('Required. The name of this installation, such as prod: part of every resource\'s name.')
@minLength(1)
@maxLength(20)
param environmentName string

@description('Optional. Azure region of every resource that has one.')
param location string = deployment().location

@description('Optional. The resource group, which this deployment makes. Nothing else may lie in it: `azd down` deletes it whole. Empty: `rg-backup-runbooks-` and the name.')
@maxLength(90)
param resourceGroupName string = ''

@description('Optional. Tags of every resource.')
param tags object = {}

@description('Optional. The ticketing system. Left out: a webhook.')
param tickets ticketSystem = {}

@description('Required. The ticketing system\'s address: its API, or the webhook.')
@secure()
@minLength(1)
param ticketUrl string

@description('Optional. Where that address is kept: keyVault if it is a secret itself, settings if not; auto: in the key vault for systems whose address is one (Slack\'s and Teams\' webhooks).')
@allowed(['auto', 'keyVault', 'settings'])
param ticketUrlPlace string = 'auto'

@description('Optional. The ticket system\'s secret: it is put into the key vault. Empty: what the vault holds stays as it is.')
@secure()
param ticketSecret string = ''

@description('Optional. The secrets and secret addresses of the targets that tickets.routes names, by the name of their setting, such as TICKET_SECRET_PAYMENTS: they are put into the key vault, that one as ticket-secret-payments. One that is left out: what the vault holds stays as it is.')
@secure()
param ticketRouteSecrets { *: string } = {}

@description('Optional. The resource id of a key vault to use, which is asked by Azure roles. Its secrets of this installation begin with `backup-runbooks-` and the installation\'s name. Empty: a new one.')
param keyVaultId string = ''

@description('Optional. Object ids of people or groups who may write the secrets in the key vault, to put a new one there.')
param secretWriters string[] = []

@description('Optional. How the app behaves.')
param behave behaviour = {}

@description('Optional. The subscriptions whose failed backups become tickets. Empty: this one, without its vaults\' logs and health.')
param watched watchedSubscription[] = []

@description('Optional. Assign the reader role in each watched subscription. No: somebody else gives the rights, for instance once for a management group (management-group.bicep).')
param assignReaderRole bool = true

@description('Optional. Which ways of being told of a failure are set up.')
param sources alertSources = {}

@description('Optional. Who may post alerts: Azure Monitor with an Entra token, or whoever has a key in the address (simpler: no app registration, but who may read the action group can read the key).')
@allowed(['entra', 'key'])
param alertsAuth string = 'entra'

@description('Conditional. The client id of the app registration that stands for the app. Required if alertsAuth is entra; entra.sh makes it.')
param alertsClientId string = ''

@description('Conditional. The object id of that app registration. Required if alertsAuth is entra. Who deploys must be one of its owners.')
param alertsObjectId string = ''

@description('Conditional. The key in the address, 32 letters and digits or more, the same from one deployment to the next; or two with a comma between them: action groups call with the first, the app takes both. Required if alertsAuth is key.')
@secure()
param alertsKey string = ''

@description('Optional. Who may open runbook pages: whoever has a signed link, or whoever signs in with Entra and has the role Runbooks.Read. entra needs alertsAuth entra.')
@allowed(['entra', 'link'])
param pageAuth string = 'link'

@description('Optional. The key that signs links to runbook pages, 32 characters or more; or two with a comma between them: the first signs, the app takes both. It goes into the key vault. Left out: the one that lies there stays in use; none: there are no pages.')
@secure()
param linkKey string = ''

@description('Optional. Only Azure Monitor\'s action groups reach the app\'s address: the service tag ActionGroup. Nobody then posts a test alert from a machine of their own.')
param onlyActionGroups bool = false

@description('Optional. E-mail addresses that get every alert as well, in case that the app is down.')
param fallbackEmails string[] = []

@description('Optional. E-mail addresses of those who run the app: told when alerts get lost or late. Empty: nobody is told.')
param operatorEmails string[] = []

@description('Optional. The resource id of an action group to tell instead of those addresses. Empty: one is made of them.')
param operatorActionGroupId string = ''

@description('Optional. Resource ids of action groups that get every alert as well as the app.')
param furtherActionGroupIds string[] = []

@description('Optional. Alerts on the app itself, and the workbook.')
param watchOurselves bool = true

@description('Optional. The resource id of a Log Analytics workspace to use, such as the one that the vaults\' logs go to. Empty: a new one.')
param workspaceId string = ''

@description('Optional. The app may read only the tables of the workspace that it queries, by a role of its own instead of Log Analytics Reader.')
param onlyItsTables bool = false

@description('Optional. Who read or wrote secrets and documents is logged in the workspace.')
param auditLogs bool = true

@description('Optional. A lock keeps the resource group and what is in it from being deleted.')
param lockResources bool = false

@description('Optional. Storage and instances are spread over three zones. Not every region has them: https://learn.microsoft.com/azure/reliability/reliability-functions. It cannot be changed afterwards for storage.')
param isZoneRedundant bool = false

@description('Optional. For how many days a new workspace keeps logs.')
@minValue(30)
@maxValue(730)
param retentionDays int = 90

@description('Optional. Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Optional. The most instances for each function. All instances share one read budget of Azure Resource Manager for each subscription (25 reads a second): more of them in a storm of alerts throttle each other and make nothing faster. 40 is the least that Azure takes.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Optional. Instances that are kept warm for alerts over HTTP. 0: none. An action group tries again for about a minute, so a cold start loses no alert.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int = 0

@description('Optional. Storage and key vault are reached through private endpoints, and the app sends through a network.')
param isPrivate bool = false

@description('Optional. The address range of that network, /24 or larger.')
param addressPrefix string = '10.60.0.0/24'

@description('Optional. A network to use instead of a new one.')
param network givenNetwork? = null

@description('Optional. Private DNS zones to use instead of new ones.')
param privateDnsZones givenZones? = null

// ------------------------------------------------------------------------------------------------ names and choices

var groupName = empty(resourceGroupName) ? 'rg-backup-runbooks-${environmentName}' : resourceGroupName
var token = uniqueString(subscription().id, environmentName, location)
var suffix = '${environmentName}-${token}'
var allTags = union(tags, { 'azd-env-name': environmentName })
var appName = 'func-${suffix}'
var itself = { id: subscription().subscriptionId, resourceGroup: groupName, vaults: [], systemTopic: '' }
var all = empty(watched) ? [itself] : watched
var urlInVault = ticketUrlPlace == 'keyVault' || (ticketUrlPlace == 'auto' && contains(['slack_webhook', 'teams'], tickets.?target ?? 'webhook'))
var useEntra = alertsAuth == 'entra'
var alertsUrl = 'https://${app.outputs.hostName}/api/alerts'
var vaultGroup = split(empty(keyVaultId) ? '${subscription().id}/resourceGroups/${groupName}' : keyVaultId, '/')
var vaultName = empty(keyVaultId) ? 'kv-${token}' : last(vaultGroup)
var secretPrefix = empty(keyVaultId) ? '' : 'backup-runbooks-${environmentName}-'
var noOperators = empty(operatorEmails) && empty(operatorActionGroupId)
var makesNetwork = isPrivate && network == null
var operatorsId = !empty(operatorActionGroupId) ? operatorActionGroupId : noOperators ? '' : operators!.outputs.id
var actionGroupIds = concat([actionGroup.outputs.id], furtherActionGroupIds)
var logsGroup = split(empty(workspaceId) ? '${subscription().id}/resourceGroups/${groupName}' : workspaceId, '/')
// Without one of these the app would be deployed and hear nothing: better to stop here.
var clientId = useEntra && empty(alertsClientId) ? fail('alertsClientId is missing: run infra/entra.sh, or choose alertsAuth key.') : alertsClientId
var objectId = useEntra && empty(alertsObjectId) ? fail('alertsObjectId is missing: run infra/entra.sh, or choose alertsAuth key.') : alertsObjectId
var signedIn = pageAuth == 'entra' && !useEntra ? fail('pageAuth entra needs alertsAuth entra: its app registration is the one that people sign in to.') : pageAuth
var keys = !useEntra && length(alertsKey) < 32 ? fail('alertsKey is missing or too short: 32 letters and digits or more.') : alertsKey

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: allTags
}

// ------------------------------------------------------------------------------------------------ the app

module identity 'modules/identity.bicep' = {
  scope: group
  params: { name: 'id-${suffix}', location: location, tags: allTags }
}

module dataRoles 'modules/data-roles.bicep' = {
  scope: group
  params: { principalId: identity.outputs.principalId }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: { name: 'stbackup${token}', location: location, tags: allTags, isZoneRedundant: isZoneRedundant, isPrivate: isPrivate }
}

module vault 'modules/vault.bicep' = if (empty(keyVaultId)) {
  scope: group
  params: { name: vaultName, location: location, tags: allTags, isPrivate: isPrivate }
}

module secrets 'modules/secrets.bicep' = {
  scope: resourceGroup(vaultGroup[2], vaultGroup[4])
  params: {
    vaultName: vaultName
    prefix: secretPrefix
    principalId: identity.outputs.principalId
    secretWriters: secretWriters
    values: {
      ticket: ticketSecret
      url: urlInVault ? ticketUrl : ''
      alerts: useEntra ? '' : keys
      link: linkKey
    }
    routeSecrets: ticketRouteSecrets
  }
  dependsOn: [vault]
}

module unsetSecret 'modules/unset-secret.bicep' = if (empty(ticketSecret)) {
  scope: resourceGroup(vaultGroup[2], vaultGroup[4])
  params: { vaultName: vaultName, name: '${secretPrefix}ticket-secret' }
  dependsOn: [vault]
}

module unsetLinkKey 'modules/unset-secret.bicep' = if (empty(linkKey)) {
  scope: resourceGroup(vaultGroup[2], vaultGroup[4])
  params: { vaultName: vaultName, name: '${secretPrefix}link-key' }
  dependsOn: [vault]
}

module auditing 'modules/audit-logs.bicep' = if (auditLogs) {
  scope: group
  params: {
    vaultName: empty(keyVaultId) ? vault!.outputs.name : ''
    storageName: storage.outputs.name
    workspaceId: logs.outputs.workspaceId
  }
}

module lock 'modules/lock.bicep' = if (lockResources) {
  scope: group
}

module logs 'modules/logs.bicep' = {
  scope: group
  params: {
    workspaceName: 'log-${suffix}'
    insightsName: 'appi-${suffix}'
    location: location
    tags: allTags
    existingWorkspaceId: workspaceId
    retentionDays: retentionDays
  }
}

module logReader 'modules/log-reader.bicep' = {
  scope: resourceGroup(logsGroup[2], logsGroup[4])
  params: {
    workspaceName: logs.outputs.name
    principalId: identity.outputs.principalId
    onlyItsTables: onlyItsTables
    installation: suffix
  }
}

module app 'modules/app.bicep' = {
  scope: group
  params: {
    name: appName
    planName: 'plan-${suffix}'
    location: location
    tags: allTags
    identityId: identity.outputs.id
    packageContainerUrl: 'https://${storage.outputs.name}.blob.${environment().suffixes.storage}/${storage.outputs.packageContainer}'
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    isZoneRedundant: isZoneRedundant
    onlyActionGroups: onlyActionGroups
    subnetId: !isPrivate ? '' : network == null ? newNetwork!.outputs.appSubnetId : network!.appSubnetId
  }
  dependsOn: [dataRoles]
}

module settings 'modules/settings.bicep' = {
  scope: group
  params: {
    appName: app.outputs.name
    hostName: app.outputs.hostName
    clientId: identity.outputs.clientId
    storageName: storage.outputs.name
    insightsAddress: logs.outputs.insightsAddress
    workspaceCustomerId: logs.outputs.customerId
    subscriptionIds: map(all, one => one.id)
    alertsAuth: alertsAuth
    tickets: tickets
    ticketUrl: urlInVault ? secrets.outputs.references.url : ticketUrl
    ticketReference: secrets.outputs.references.ticket
    vaultAddress: secrets.outputs.address
    alertsKeyReference: useEntra ? '' : secrets.outputs.references.alerts
    pageAuth: pageAuth
    linkKeyReference: secrets.outputs.references.link
    behave: behave
  }
  dependsOn: [unsetSecret, unsetLinkKey] // else the app finds no secret when it first starts
}

module signIn 'modules/sign-in.bicep' = {
  scope: group
  params: { appName: app.outputs.name, clientId: useEntra ? clientId : '', pageAuth: signedIn }
  dependsOn: [settings] // Azure refuses two changes of an app at once
}

module newNetwork 'modules/network.bicep' = if (makesNetwork) {
  scope: group
  params: { name: 'vnet-${suffix}', location: location, tags: allTags, addressPrefix: addressPrefix }
}

module privateEndpoint 'modules/private-endpoint.bicep' = [
  for part in !isPrivate ? [] : concat(['blob', 'queue', 'table'], empty(keyVaultId) ? ['vault'] : []): {
    scope: group
    params: {
      name: 'pep-${part}-${suffix}'
      location: location
      tags: allTags
      resourceId: part == 'vault' ? vault!.outputs.id : storage.outputs.id
      part: part
      zoneId: privateDnsZones[?part] ?? ''
      networkId: network == null ? newNetwork!.outputs.id : network!.id
      subnetId: network == null ? newNetwork!.outputs.endpointSubnetId : network!.endpointSubnetId
    }
  }
]

// ------------------------------------------------------------------------------------------------ getting alerted

module actionGroup 'modules/action-group.bicep' = {
  scope: group
  params: {
    name: 'ag-${suffix}'
    shortName: 'backuprunbk'
    tags: allTags
    emails: fallbackEmails
    webhookUrl: alertsUrl
    webhookClientId: useEntra ? clientId : ''
    webhookObjectId: useEntra ? objectId : ''
    webhookKey: first(split(keys, ','))!
  }
}

module operators 'modules/action-group.bicep' = if (empty(operatorActionGroupId) && !empty(operatorEmails)) {
  scope: group
  params: { name: 'ag-operators-${suffix}', shortName: 'runbookops', tags: allTags, emails: operatorEmails }
}

module failedJobs 'modules/failed-jobs-alert.bicep' = if (sources.?logSearch ?? true) {
  scope: group
  params: {
    installation: suffix
    location: logs.outputs.location
    tags: allTags
    workspaceId: logs.outputs.workspaceId
    actionGroupIds: actionGroupIds
  }
}

module watch 'modules/watched.bicep' = [
  for one in all: {
    scope: subscription(one.id)
    params: {
      watched: one
      resourceGroupName: one.?resourceGroup ?? groupName
      sources: sources
      tags: allTags
      installation: suffix
      assignReaderRole: assignReaderRole
      collectLogs: empty(workspaceId)
      principalId: identity.outputs.principalId
      workspaceId: logs.outputs.workspaceId
      actionGroupIds: actionGroupIds
      operatorsId: operatorsId
      storageId: storage.outputs.id
      queueName: storage.outputs.alertQueue
      deadLetterContainer: storage.outputs.deadLetterContainer
    }
  }
]

// ------------------------------------------------------------------------------------------------ watching ourselves

module selfWatch 'modules/self-watch.bicep' = if (watchOurselves) {
  scope: group
  params: {
    location: logs.outputs.location
    tags: allTags
    appName: appName
    workspaceId: logs.outputs.workspaceId
    operatorsId: operatorsId
    hasCanary: (behave.?canary ?? 'quiet') != 'off'
  }
}

module workbook 'modules/workbook.bicep' = if (watchOurselves) {
  scope: group
  params: { displayName: 'Backup Runbooks (${environmentName})', location: location, tags: allTags, workspaceId: logs.outputs.workspaceId }
}

// ------------------------------------------------------------------------------------------------ outputs: azd keeps them; none is secret, none names a group that is not ours

@description('The resource group.')
output AZURE_RESOURCE_GROUP string = group.name

@description('The function app.')
output FUNCTION_APP_NAME string = app.outputs.name

@description('The address to give to an action group. With alertsAuth key, `?code=` and the key follow it.')
output ALERTS_URL string = alertsUrl

@description('The action group that leads to the app: for alert rules of one\'s own.')
output ACTION_GROUP_ID string = actionGroup.outputs.id

@description('The name of the key vault that holds the secrets.')
output KEY_VAULT_NAME string = vaultName

@description('The object id of the app\'s identity: for management-group.bicep.')
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

@description('The name of the workspace: where to send the logs of further vaults.')
output WORKSPACE_NAME string = logs.outputs.name

@description('What is missing. Empty: nothing.')
output WARNING string = noOperators ? 'OPERATOR_EMAILS is empty: nobody is told when alerts get lost or late.' : ''

@description('What to do now.')
output NEXT_STEP string = 'make package && az functionapp deployment source config-zip -g ${group.name} -n ${app.outputs.name} --src build/backup-runbooks.zip --build-remote true'
