// Private networking, part two: one private endpoint with its DNS zone.

@description('Required. The name of the endpoint.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags of the resources.')
param tags object

@description('Required. The resource id of what the endpoint leads to.')
param resourceId string

@description('Required. Which part of it: blob, queue, table or vault.')
@allowed(['blob', 'queue', 'table', 'vault'])
param part string

@description('Required. The resource id of its private DNS zone. Empty: one is made.')
param zoneId string

@description('Required. The resource id of the network.')
param networkId string

@description('Required. The resource id of the subnet for the endpoint.')
param subnetId string

// https://learn.microsoft.com/azure/private-link/private-endpoint-dns
var zoneName = part == 'vault'
  ? replace(environment().suffixes.keyvaultDns, '.vault.', 'privatelink.vaultcore.')
  : 'privatelink.${part}.${environment().suffixes.storage}'

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = if (empty(zoneId)) {
  name: zoneName
  location: 'global'
  tags: tags

  resource link 'virtualNetworkLinks' = if (empty(zoneId)) {
    name: last(split(networkId, '/'))
    location: 'global'
    properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
  }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [{ name: part, properties: { privateLinkServiceId: resourceId, groupIds: [part] } }]
  }

  resource names 'privateDnsZoneGroups' = {
    name: 'default'
    properties: { privateDnsZoneConfigs: [{ name: part, properties: { privateDnsZoneId: empty(zoneId) ? zone.id : zoneId } }] }
  }
}
