# A node: the complete runtime on any base that has a Node of version 24.
# Needs dist/ (npm run build) and node_modules/koffi; `o7s-testbed image build` provides both.
ARG BASE=node:24-bookworm-slim
FROM ${BASE}
RUN command -v ip >/dev/null \
 || { apt-get update && apt-get install -y --no-install-recommends iproute2 iputils-ping && rm -rf /var/lib/apt/lists/*; }
COPY node_modules/koffi /opt/o7s-testbed/node_modules/koffi
COPY node_modules/@koromix /opt/o7s-testbed/node_modules/@koromix
COPY dist/bin /opt/o7s-testbed/dist/bin
COPY dist/bundle /opt/o7s-testbed/dist/bundle
COPY dist/man /usr/local/share/man
COPY dist/python3 /opt/o7s-testbed/dist/python3
ENV PATH=/opt/o7s-testbed/dist/bin:$PATH PYTHONPATH=/opt/o7s-testbed/dist/python3 \
    NODE_COMPILE_CACHE=/opt/o7s-testbed/cache
# What V8 compiles of the programs while they do a little of everything is kept, and nodes start with it: a layer over Ethernet where
# this may open one, a layer of two IPCPs over another, and a ping.
RUN irmd --stdout >/dev/null & irmd=$!; \
    for again in $(seq 100); do irm ipcp list >/dev/null 2>&1 && break; sleep 0.1; done; \
    { irm ipcp bootstrap type eth-dix name lan dev lo layer lan || :; } \
 && irm ipcp bootstrap type local name below layer below \
 && irm ipcp bootstrap type unicast name one layer net autobind \
 && irm name register one layer below && irm name register net layer below \
 && irm ipcp create type unicast name two && irm bind ipcp two name two && irm bind ipcp two name net \
 && irm ipcp enroll name two layer net && irm name register two layer below && irm ipcp connect name two dst one \
 && irm name create warm && irm name register warm layer net && irm bind program oping name warm \
 && { oping -l >/dev/null & } && oping -n warm -c 1 -i 1ms \
 && kill "$irmd" && wait "$irmd" && ls "$NODE_COMPILE_CACHE"/irmd-*.code "$NODE_COMPILE_CACHE"/ipcpd-*.code
LABEL o7s.testbed.image=node
CMD ["irmd", "--stdout"]
