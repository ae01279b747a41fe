// The shapes of what is there already and used instead of something new.

@export()
@description('A network that is there already.')
type givenNetwork = {
  @description('Required. The resource id of the virtual network.')
  id: string

  @description('Required. The resource id of the subnet that the app sends through: delegated to Microsoft.App/environments, /27 or larger, without an underscore in its name, used by nobody else.')
  appSubnetId: string

  @description('Required. The resource id of the subnet for private endpoints.')
  endpointSubnetId: string
}

@export()
@description('Private DNS zones that are there already, such as a hub\'s, linked to the network by whoever runs them.')
type givenZones = {
  @description('Required. The resource id of privatelink.blob.*.')
  blob: string

  @description('Required. The resource id of privatelink.queue.*.')
  queue: string

  @description('Required. The resource id of privatelink.table.*.')
  table: string

  @description('Required. The resource id of privatelink.vaultcore.*.')
  vault: string
}
