"""Lists of addresses whose pages are not read, and of those that are read whatever the lists say: `urls` in a manifest.

The files, in the order in which a list meets them:

options.py        the manifest's keys
layouts.py        the layouts of lists: plain domains, UT1, hosts, Adblock, dnsmasq, Unbound, RPZ
address_set.py    sets of hosts and addresses as packed hashes
address_lists.py  files, folders and archives of lists read into two sets, which are kept in the workspace
"""
