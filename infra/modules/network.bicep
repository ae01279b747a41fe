// Private networking, part one: the network that the app sends through, and a place for private endpoints.

@description('Required. The name of the virtual network.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags of the resource.')
param tags object

@description('Required. The address range, /24 or larger. It must not overlap with networks that this one is peered with.')
param addressPrefix string

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'app' // Flex Consumption takes no underscore in this name, and wants the subnet for itself
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: cidrSubnet(addressPrefix, 27, 2), privateEndpointNetworkPolicies: 'Enabled' }
      }
    ]
  }

  resource appSubnet 'subnets' existing = { name: 'app' }
  resource endpointSubnet 'subnets' existing = { name: 'endpoints' }
}

@description('The resource id of the network.')
output id string = network.id

@description('The resource id of the app\'s subnet.')
output appSubnetId string = network::appSubnet.id

@description('The resource id of the subnet for private endpoints.')
output endpointSubnetId string = network::endpointSubnet.id
