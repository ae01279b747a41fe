"""What the app keeps in its own storage account: queue, incidents, storms, documents, and for how long."""
