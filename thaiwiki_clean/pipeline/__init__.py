"""What a build is made of; :func:`thaiwiki_clean.build` is its door.

flow                     which stages there are, in which order, and which file comes from which
stages                   the stages: plain functions from files to one file
shards                   files that are written whole or not at all
folder, places           where a build works and where it ends up: whose the folder is, and what lies there
published, manifest      the files that are given out, and the record of the run
tally, progress          counts by reason, and how far it is
"""
