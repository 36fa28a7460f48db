# SPDX-License-Identifier: MIT
# install: what `make install PREFIX= DESTDIR=` puts where, and how it goes again.
# One list of files for both: "SOURCE TARGET MODE", the target below PREFIX.

INSTALL_FILES := \
	$(OUT)/nopdb:bin/nopdb:755 \
	$(OUT)/nopdbd:bin/nopdbd:755 \
	$(OUT)/nopdb-agent.so:lib/nopdb/nopdb-agent.so:644 \
	$(foreach f,$(wildcard proto/*.json),$(f):lib/nopdb/$(notdir $(f)):644) \
	$(foreach f,$(wildcard clients/python/nopdb/*.py) \
		clients/python/nopdb/py.typed,\
		$(f):lib/nopdb/python/nopdb/$(notdir $(f)):644) \
	$(foreach f,$(wildcard man/*.[1-8]),\
		$(f):share/man/man$(patsubst .%,%,$(suffix $(f)))/$(notdir $(f)):644) \
	$(OUT)/completion/nopdb.bash:share/bash-completion/completions/nopdb:644 \
	$(OUT)/completion/_nopdb:share/zsh/site-functions/_nopdb:644 \
	$(OUT)/completion/nopdb.fish:share/fish/vendor_completions.d/nopdb.fish:644 \
	systemd/nopdbd.socket:lib/systemd/system/nopdbd.socket:644

# It names the folder of the daemon: @BINDIR@.
INSTALL_UNIT := lib/systemd/system/nopdbd.service

# Python writes its __pycache__ there, too.
INSTALL_FOLDERS := lib/nopdb

field = $(word $(2),$(subst :, ,$(1)))
INSTALL_PLACES := $(foreach f,$(INSTALL_FILES),$(call field,$(f),2)) \
	$(INSTALL_UNIT)

.PHONY: install uninstall

install: all $(COMPLETIONS)
	$(Q)set -e; for file in $(INSTALL_FILES); do \
		from=$${file%%:*}; file=$${file#*:}; \
		to="$(DESTDIR)$(PREFIX)/$${file%:*}"; \
		install -d "$${to%/*}"; \
		install -m "$${file##*:}" "$$from" "$$to"; \
	done; \
	install -m 644 systemd/nopdbd.service.in \
		"$(DESTDIR)$(PREFIX)/$(INSTALL_UNIT)"; \
	sed -i 's|@BINDIR@|$(PREFIX)/bin|' "$(DESTDIR)$(PREFIX)/$(INSTALL_UNIT)"
	@echo 'installed below $(DESTDIR)$(PREFIX)'

# Folders of others stay, those that we share and emptied, too.
uninstall:
	$(Q)[ ! -d "$(DESTDIR)$(PREFIX)" ] || { cd "$(DESTDIR)$(PREFIX)" && \
		rm -f $(INSTALL_PLACES) && rm -rf $(INSTALL_FOLDERS); }
	@echo 'uninstalled from $(DESTDIR)$(PREFIX)'
