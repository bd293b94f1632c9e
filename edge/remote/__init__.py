"""What can be asked of a running device over MQTT: the desk where commands are carried out, and one file a verb."""
