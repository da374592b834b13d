/** `irm metrics`: what the node counts, for Prometheus or InfluxDB. */
import type { IrmClient } from '../../lib/index.ts';
import { type Command, type CommandContext, failed, say } from './command.ts';
import { influxLines, measuresOf, prometheusText } from './measures.ts';

const usage = `Usage: irm metrics
                [influx]
                [listen [<address>:]<port>]

Prints what the node counts, in the text form of Prometheus or, with influx, in the line protocol of InfluxDB. listen
serves it over HTTP at /metrics until interrupted, on 127.0.0.1 unless an address is given.
`;
const portMax = 65_535;

interface Options {
  readonly influx: boolean;
  readonly listen: { readonly host: string; readonly port: number } | undefined;
}

export const metrics: Command = {
  usage,
  keywords: { influx: 'flag', listen: 'text' },
  run: async (words, context) => {
    const options = parse(words);
    if (options === undefined) return say(context, usage);
    try {
      const irmd = await context.irmd();
      if (options.listen !== undefined) return await serve(irmd, options, options.listen, context);
      const [text, measures] = await read(irmd, options.influx);
      context.result(measures);
      if (!context.json) context.out(text);
      return 0;
    } catch (error) {
      return failed(error, context);
    }
  },
};

function parse(words: readonly string[]): Options | undefined {
  let influx = false;
  let listen: Options['listen'];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]?.replace(/^--/, '') ?? '';
    if (word === 'influx') influx = true;
    else if (word === 'listen') {
      at += 1;
      const [, host = '127.0.0.1', digits = ''] =
        /^(?:\[?([^\]]+)\]?:)?(\d{1,5})$/.exec(words[at] ?? '') ?? [];
      const port = Number(digits);
      if (digits === '' || port > portMax) return undefined;
      listen = { host, port };
    } else return undefined;
  }
  return { influx, listen };
}

async function read(irmd: IrmClient, influx: boolean): Promise<[string, ReturnType<typeof measuresOf>]> {
  const [snapshot, counters] = await Promise.all([irmd.snapshot(), irmd.counters()]);
  const measures = measuresOf(snapshot, counters);
  return [influx ? influxLines(measures, counters.at) : prometheusText(measures), measures];
}

/** Serves until irmd is gone or the port cannot be had. */
async function serve(
  irmd: IrmClient,
  { influx }: Options,
  { host, port }: NonNullable<Options['listen']>,
  context: CommandContext,
): Promise<number> {
  // No other command needs it.
  const { createServer } = await import('node:http');
  const ended = Promise.withResolvers<number>();
  const server = createServer((request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(request.method === 'GET' ? 404 : 405).end();
      return;
    }
    read(irmd, influx).then(
      ([text]) =>
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      (error: unknown) => {
        response.writeHead(503).end();
        ended.reject(error);
      },
    );
  });
  server.once('error', (error) => {
    context.note(`cannot listen on ${host} port ${port}: ${error.message}`);
    ended.resolve(1);
  });
  server.listen(port, host, () => {
    const address = server.address();
    context.note(`listening on ${host} port ${typeof address === 'object' ? address?.port : port}`);
  });
  try {
    return await ended.promise;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
