# `make NAME` is `python3 dev.py NAME`; that one takes arguments, and `python3 dev.py --help` lists the names.
.PHONY: demo test faults stress
demo test faults stress:
	python3 dev.py $@
