"""What many VMs are asked at once: the same facts as those beside this folder, by the same readers, from lists and rows."""
