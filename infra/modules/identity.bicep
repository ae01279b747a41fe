// The app's identity. It is user-assigned, so that its roles are there before the app starts for the first time.

@description('Required. The name of the identity.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags of the resource.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('The resource id of the identity.')
output id string = identity.id

@description('Its client id: what the app asks for tokens as.')
output clientId string = identity.properties.clientId

@description('Its object id: what roles are assigned to.')
output principalId string = identity.properties.principalId
