"""A lock on the resource group that holds the restore points keeps Azure Backup from deleting old ones, or from making any.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout#remove_lock_from_the_recovery_point_resource_group
"""
