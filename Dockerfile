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
ENV PATH=/opt/o7s-testbed/dist/bin:$PATH PYTHONPATH=/opt/o7s-testbed/dist/python3
LABEL o7s.testbed.image=node
CMD ["irmd", "--stdout"]
