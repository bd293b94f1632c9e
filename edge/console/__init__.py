"""The console: a web page that shows what a thing publishes. A process of its own and one more MQTT client.

What it knows it knows from messages on the broker and pictures over HTTP; the runtime never waits for it.

    sighting.py  a message as it is shown: read with care, whatever a stranger put into it
    record.py    what has been seen so far, per source
    words.py     the state of things in words
    pictures.py  the runtime's pictures, handed on to the browser from the console's own address
    shell.py     what all pages have in common
    guard.py     who may see it
    live.py      the page of the two streams
"""

PICTURES_TOKEN = "LENSRACER_PICTURES_TOKEN"  # the environment's word for the token of the runtime's pictures
CONSOLE_TOKEN = "LENSRACER_CONSOLE_TOKEN"  # likewise for the token of the console itself
