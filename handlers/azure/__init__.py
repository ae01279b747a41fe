"""How Azure is read: the ARM pipeline, the SDK clients, the read budget, answers that several alerts share."""
