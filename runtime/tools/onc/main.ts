/** onc: standard input and output, or a command, over a flow. */
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { acceptFlow, allocFlow, type Flow, IrmClient, O7sError } from '../../lib/index.ts';
import { megabits } from '../quantities.ts';
import { complain, showLine } from '../terminal.ts';
import { errorEvent, explain, type Report, runTool, stopOnSignals } from '../tool.ts';
import { Command, DescriptorSink, SinkClosed } from './ends.ts';
import { type NetcatEvent, netcatText } from './events.ts';
import { Exchange } from './exchange.ts';
import { type NetcatOptions, parseNetcatOptions } from './options.ts';

const [inFd, outFd] = [0, 1];
/** Commands that run at once. */
const commandsMax = 64;

class Netcat {
  readonly #options: NetcatOptions;
  readonly #stop: AbortSignal;
  readonly #report: Report<NetcatEvent>;

  constructor(options: NetcatOptions, stop: AbortSignal, report: Report<NetcatEvent>) {
    this.#options = options;
    this.#stop = stop;
    this.#report = report;
  }

  /** The status to end with. */
  async run(): Promise<number> {
    const { listen, keep, command } = this.#options;
    if (!listen) {
      const flow = await this.#allocate();
      return flow === undefined ? this.#failed() : this.#use(flow, command);
    }
    if (!(await this.#bind())) return this.#failed();
    if (keep) return this.#serve();
    const flow = await this.#accept();
    return flow === undefined ? this.#failed() : this.#use(flow, command);
  }

  /** Takes flows until it is stopped or irmd is gone. */
  async #serve(): Promise<number> {
    const { command } = this.#options;
    const running = new Set<Promise<unknown>>();
    for (;;) {
      const flow = await this.#accept();
      if (flow === undefined) break;
      const use = this.#use(flow, command).finally(() => running.delete(use));
      running.add(use);
      // Bytes of several flows would be mixed in one output.
      if (command === undefined) await use;
      else if (running.size >= commandsMax) await Promise.race(running);
    }
    await Promise.all(running);
    return this.#failed();
  }

  #failed(): number {
    const { aborted, reason } = this.#stop;
    return aborted ? 128 + constants.signals[reason as NodeJS.Signals] : 1;
  }

  async #allocate(): Promise<Flow | undefined> {
    const { name = '', qos } = this.#options;
    try {
      return await allocFlow(name, { qos, signal: this.#stop });
    } catch (error) {
      this.#tell('allocate', error);
      return undefined;
    }
  }

  /** Binds this process to the name it is to serve, which takes the right to manage the node. */
  async #bind(): Promise<boolean> {
    const { name } = this.#options;
    if (name === undefined) return true;
    try {
      await using irmd = await IrmClient.connect();
      await irmd.bindProcess(process.pid, name);
      this.#report({ type: 'bound', name });
      return true;
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      const hint = `bind it as root: irm bind process ${process.pid} name ${name}`;
      this.#tell('bind', new O7sError(error.code, `cannot bind to ${name}: ${error.message}`, { hint }));
      return false;
    }
  }

  async #accept(): Promise<Flow | undefined> {
    this.#report({ type: 'waiting' });
    try {
      return await acceptFlow({ signal: this.#stop });
    } catch (error) {
      this.#tell('accept', error);
      return undefined;
    }
  }

  /** Carries bytes between a flow and what it is for, to their ends; the status that comes of it. */
  async #use(flow: Flow, line: string | undefined): Promise<number> {
    this.#report({ type: 'flow', fd: flow.fd, maxMessageBytes: flow.maxMessageBytes });
    try {
      return line === undefined ? await this.#useStandard(flow) : await this.#useCommand(flow, line);
    } catch (error) {
      if (error instanceof SinkClosed) complain(`onc: ${error.message}`);
      else this.#tell('exchange', error);
      flow.abort();
      return this.#failed();
    } finally {
      await flow.close();
    }
  }

  async #useStandard(flow: Flow): Promise<number> {
    const isKept = this.#options.keep;
    const isTyped = !isKept && isatty(inFd);
    using live = new DisposableStack();
    const exchange = new Exchange({
      flow,
      source: isKept ? undefined : process.stdin,
      sink: new DescriptorSink(outFd),
      interactive: isTyped,
      // What comes to a terminal is not to be mixed with a line of ours.
      arrived: () => {
        if (isatty(outFd)) live.dispose();
      },
    });
    const startedAt = performance.now();
    // Whoever types sees how it goes.
    if (!isTyped) live.use(showLine(() => progress(exchange, startedAt)));
    await this.#carry(flow, exchange);
    return 0;
  }

  async #useCommand(flow: Flow, line: string): Promise<number> {
    using command = new Command(line);
    await this.#carry(
      flow,
      new Exchange({ flow, source: command.source, sink: command.sink, interactive: false }),
    );
    const { status, signal } = await command.ended;
    this.#report({ type: 'command', fd: flow.fd, status, signal });
    return status ?? 1;
  }

  async #carry(flow: Flow, exchange: Exchange): Promise<void> {
    const startedAt = performance.now();
    await exchange.run(this.#stop);
    const { sentBytes, receivedBytes } = exchange;
    const elapsedMs = performance.now() - startedAt;
    this.#report({ type: 'ended', fd: flow.fd, sentBytes, receivedBytes, elapsedMs });
  }

  #tell(during: Extract<NetcatEvent, { type: 'error' }>['during'], error: unknown): void {
    if (!(error instanceof O7sError)) throw error;
    if (this.#stop.aborted) return;
    this.#report({ ...errorEvent(error), during });
    explain('onc', error);
  }
}

function progress({ sentBytes, receivedBytes }: Exchange, startedAt: number): string {
  const elapsedMs = performance.now() - startedAt;
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const rate = megabits(sentBytes + receivedBytes, elapsedMs).toFixed(1);
  const seconds = (elapsedMs / 1000).toFixed(0);
  return `${seconds} s: ${megabytes(sentBytes)} sent, ${megabytes(receivedBytes)} received, ${rate} Mb/s`;
}

void runTool('onc', parseNetcatOptions, (options) => {
  // Standard output is for the bytes.
  const report = (event: NetcatEvent): void => {
    if (options.json) complain(JSON.stringify(event));
    else if (options.verbose && event.type !== 'error') complain(netcatText(event));
  };
  return new Netcat(options, stopOnSignals(), report).run();
});
