/** Tells when an interface is set up or down, or the one that has an address is. */
import {
  readAddress,
  readLink,
  routeGroup,
  routeMessage,
  routeQuestion,
  RouteSocket,
} from './route-socket.ts';

/** One interface. */
export class LinkWatch implements Disposable {
  readonly #socket: RouteSocket;
  readonly #index: number;
  readonly #onChange: (up: boolean) => void;
  #up: boolean | undefined;

  /** @param onChange hears when the interface goes down or comes up, by itself or because its other end does. */
  constructor(index: number, onChange: (up: boolean) => void) {
    this.#index = index;
    this.#onChange = onChange;
    this.#socket = new RouteSocket(
      routeGroup.links,
      (type, body) => this.#told(type, body),
      () => this.#socket.ask(routeQuestion.links),
    );
    this.#socket.ask(routeQuestion.links);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #told(type: number, body: Buffer): void {
    const link = type === routeMessage.newLink ? readLink(body) : undefined;
    if (link === undefined || link.index !== this.#index || link.up === this.#up) return;
    const isFirst = this.#up === undefined;
    this.#up = link.up;
    if (!isFirst) this.#onChange(link.up);
  }
}

/**
 * What is known of an address and the interfaces, from messages alone. The address is up where an interface has it that
 * is up itself; IPv6 addresses go when their interface goes down, and need not come back with it.
 */
export class AddressState {
  readonly #ip: Buffer;
  readonly #holders = new Set<number>();
  readonly #linksUp = new Set<number>();

  /** @param ip 4 or 16 bytes. */
  constructor(ip: Buffer) {
    this.#ip = ip;
  }

  get up(): boolean {
    return [...this.#holders].some((index) => this.#linksUp.has(index));
  }

  /** Whether an interface has just this address: others may lie in a range that is the host's own. */
  get held(): boolean {
    return this.#holders.size > 0;
  }

  clear(): void {
    this.#holders.clear();
    this.#linksUp.clear();
  }

  take(type: number, body: Buffer): void {
    if (type === routeMessage.newLink || type === routeMessage.deleteLink) {
      const link = readLink(body);
      if (link === undefined) return;
      if (type === routeMessage.newLink && link.up) this.#linksUp.add(link.index);
      else this.#linksUp.delete(link.index);
    } else if (type === routeMessage.newAddress || type === routeMessage.deleteAddress) {
      const address = readAddress(body);
      if (address === undefined || !address.ip.equals(this.#ip)) return;
      if (type === routeMessage.newAddress && address.usable) this.#holders.add(address.index);
      else this.#holders.delete(address.index);
    }
  }
}

/** An address, with the interface that has it. One that no interface has of its own is never told of. */
export class AddressWatch implements Disposable {
  readonly #socket: RouteSocket;
  readonly #state: AddressState;
  readonly #onChange: (up: boolean) => void;
  #up: boolean;

  /**
   * @param ip 4 or 16 bytes.
   * @param onChange hears when the address goes down or comes up.
   */
  constructor(ip: Buffer, onChange: (up: boolean) => void) {
    this.#onChange = onChange;
    this.#state = new AddressState(ip);
    let asking = true;
    this.#socket = new RouteSocket(
      routeGroup.links | routeGroup.ipv4Addresses | routeGroup.ipv6Addresses,
      (type, body) => {
        this.#state.take(type, body);
        if (!asking) this.#tell();
      },
      () => {
        asking = true;
        this.#ask();
        asking = false;
        this.#tell();
      },
    );
    this.#ask();
    asking = false;
    this.#up = this.#state.up;
    if (!this.#state.held) this.#socket[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #ask(): void {
    this.#state.clear();
    this.#socket.ask(routeQuestion.links);
    this.#socket.ask(routeQuestion.addresses);
  }

  #tell(): void {
    const { up } = this.#state;
    if (up === this.#up) return;
    this.#up = up;
    this.#onChange(up);
  }
}
