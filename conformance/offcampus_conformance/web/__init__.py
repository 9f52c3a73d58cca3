"""The suite in a browser on this machine: start a run, watch it, read what failed, run one check again.

Server-rendered, in Chinese and English, usable by keyboard and without script; nothing is fetched from outside, and
nobody but this machine is answered.
"""
