"""The runtime as a Greengrass component: configured, updated and stopped by the nucleus."""
