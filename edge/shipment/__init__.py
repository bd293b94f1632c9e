"""What a device installs with no compiler and no internet: three Greengrass components, made here."""
