// The function app on Flex Consumption: no keys, no FTP, no basic authentication.

@description('Required. The name of the app: part of its address.')
@minLength(2)
@maxLength(60)
param name string

@description('Required. The name of the plan.')
param planName string

@description('Required. Azure region.')
param location string

@description('Required. Tags of the resources.')
param tags object

@description('Required. The resource id of the app\'s identity.')
param identityId string

@description('Required. The address of the blob container for the deployed package.')
param packageContainerUrl string

@description('Required. Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('Required. The most instances for each function. All instances share one read budget of Azure Resource Manager for each subscription (25 reads a second), so more instances in a storm of alerts make nothing faster: they throttle each other, and others that use the subscription. 40 is the least that Azure takes.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int

@description('Required. Instances that are kept warm for alerts that come over HTTP. 0: none, the first alert after a pause waits for a start.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int

@description('Required. Instances run in several zones, so that one may fail.')
param isZoneRedundant bool

@description('Required. Only Azure Monitor\'s action groups reach the app\'s address.')
param onlyActionGroups bool

@description('Required. The resource id of the subnet that outbound traffic goes through. Empty: none.')
param subnetId string

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: isZoneRedundant }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: 'Enabled' // action groups call from the internet
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      ipSecurityRestrictionsDefaultAction: onlyActionGroups ? 'Deny' : 'Allow'
      ipSecurityRestrictions: onlyActionGroups
        ? [{ name: 'action-groups', priority: 100, action: 'Allow', tag: 'ServiceTag', ipAddress: 'ActionGroup' }]
        : []
      scmIpSecurityRestrictionsUseMain: false // the package is put there by whoever deploys
    }
    functionAppConfig: {
      runtime: { name: 'python', version: '3.13' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances > 0 ? [{ name: 'http', instanceCount: alwaysReadyInstances }] : []
      }
    }
  }

  @batchSize(1) // Azure refuses two changes of an app at once
  resource publishing 'basicPublishingCredentialsPolicies' = [
    for name in ['ftp', 'scm']: {
      name: name
      properties: { allow: false }
    }
  ]
}

@description('The name of the app.')
output name string = app.name

@description('Its host name.')
output hostName string = app.properties.defaultHostName
