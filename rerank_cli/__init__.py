"""Search a folder of documents in two stages.

README.md beside this file has the map of the rooms, from the bottom up; imports only go down.
"""

__version__ = "0.1.0"
