import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/**
 * Properties of a DhtMessage.
 * @deprecated Use DhtMessage.$Properties instead.
 */
export interface IDhtMessage extends DhtMessage.$Properties {
}

/** Represents a DhtMessage. */
export class DhtMessage {

    /**
     * Constructs a new DhtMessage.
     * @param [properties] Properties to set
     */
    constructor(properties?: DhtMessage.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** DhtMessage code. */
    code: number;

    /** DhtMessage src. */
    src: Contact.$Properties;

    /** DhtMessage store. */
    store?: (Store.$Properties|null);

    /** DhtMessage find. */
    find?: (Find.$Properties|null);

    /** DhtMessage node. */
    node?: (NodeResponse.$Properties|null);

    /** DhtMessage val. */
    val?: (ValueResponse.$Properties|null);

    /** DhtMessage extensions. */
    extensions: number;

    /** DhtMessage cookie. */
    cookie: (number|Long);

    /**
     * Encodes the specified DhtMessage message. Does not implicitly {@link DhtMessage.verify|verify} messages.
     * @param message DhtMessage message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: DhtMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a DhtMessage message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {DhtMessage & DhtMessage.$Shape} DhtMessage
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): DhtMessage & DhtMessage.$Shape;
}

export namespace DhtMessage {

    /** Properties of a DhtMessage. */
    interface $Properties {

        /** DhtMessage code */
        code: number;

        /** DhtMessage src */
        src: Contact.$Properties;

        /** DhtMessage store */
        store?: (Store.$Properties|null);

        /** DhtMessage find */
        find?: (Find.$Properties|null);

        /** DhtMessage node */
        node?: (NodeResponse.$Properties|null);

        /** DhtMessage val */
        val?: (ValueResponse.$Properties|null);

        /** DhtMessage extensions */
        extensions?: (number|null);

        /** DhtMessage cookie */
        cookie?: (number|Long|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a DhtMessage. */
    type $Shape = DhtMessage.$Properties;
}

/**
 * Properties of a Contact.
 * @deprecated Use Contact.$Properties instead.
 */
export interface IContact extends Contact.$Properties {
}

/** Represents a Contact. */
export class Contact {

    /**
     * Constructs a new Contact.
     * @param [properties] Properties to set
     */
    constructor(properties?: Contact.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** Contact id. */
    id: Uint8Array;

    /** Contact addr. */
    addr: (number|Long);

    /**
     * Encodes the specified Contact message. Does not implicitly {@link Contact.verify|verify} messages.
     * @param message Contact message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: Contact.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a Contact message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {Contact & Contact.$Shape} Contact
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): Contact & Contact.$Shape;
}

export namespace Contact {

    /** Properties of a Contact. */
    interface $Properties {

        /** Contact id */
        id: Uint8Array;

        /** Contact addr */
        addr: (number|Long);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a Contact. */
    type $Shape = Contact.$Properties;
}

/**
 * Properties of a Store.
 * @deprecated Use Store.$Properties instead.
 */
export interface IStore extends Store.$Properties {
}

/** Represents a Store. */
export class Store {

    /**
     * Constructs a new Store.
     * @param [properties] Properties to set
     */
    constructor(properties?: Store.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** Store key. */
    key: Uint8Array;

    /** Store val. */
    val: Uint8Array;

    /** Store exp. */
    exp: number;

    /** Store life. */
    life: number;

    /** Store version. */
    version: number;

    /**
     * Encodes the specified Store message. Does not implicitly {@link Store.verify|verify} messages.
     * @param message Store message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: Store.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a Store message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {Store & Store.$Shape} Store
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): Store & Store.$Shape;
}

export namespace Store {

    /** Properties of a Store. */
    interface $Properties {

        /** Store key */
        key: Uint8Array;

        /** Store val */
        val: Uint8Array;

        /** Store exp */
        exp: number;

        /** Store life */
        life?: (number|null);

        /** Store version */
        version?: (number|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a Store. */
    type $Shape = Store.$Properties;
}

/**
 * Properties of a Find.
 * @deprecated Use Find.$Properties instead.
 */
export interface IFind extends Find.$Properties {
}

/** Represents a Find. */
export class Find {

    /**
     * Constructs a new Find.
     * @param [properties] Properties to set
     */
    constructor(properties?: Find.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** Find cookie. */
    cookie: (number|Long);

    /** Find key. */
    key: Uint8Array;

    /**
     * Encodes the specified Find message. Does not implicitly {@link Find.verify|verify} messages.
     * @param message Find message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: Find.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a Find message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {Find & Find.$Shape} Find
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): Find & Find.$Shape;
}

export namespace Find {

    /** Properties of a Find. */
    interface $Properties {

        /** Find cookie */
        cookie: (number|Long);

        /** Find key */
        key: Uint8Array;

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a Find. */
    type $Shape = Find.$Properties;
}

/**
 * Properties of a NodeResponse.
 * @deprecated Use NodeResponse.$Properties instead.
 */
export interface INodeResponse extends NodeResponse.$Properties {
}

/** Represents a NodeResponse. */
export class NodeResponse {

    /**
     * Constructs a new NodeResponse.
     * @param [properties] Properties to set
     */
    constructor(properties?: NodeResponse.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** NodeResponse cookie. */
    cookie: (number|Long);

    /** NodeResponse key. */
    key: Uint8Array;

    /** NodeResponse contacts. */
    contacts: Contact.$Properties[];

    /**
     * Encodes the specified NodeResponse message. Does not implicitly {@link NodeResponse.verify|verify} messages.
     * @param message NodeResponse message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: NodeResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a NodeResponse message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {NodeResponse & NodeResponse.$Shape} NodeResponse
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): NodeResponse & NodeResponse.$Shape;
}

export namespace NodeResponse {

    /** Properties of a NodeResponse. */
    interface $Properties {

        /** NodeResponse cookie */
        cookie: (number|Long);

        /** NodeResponse key */
        key: Uint8Array;

        /** NodeResponse contacts */
        contacts?: (Contact.$Properties[]|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a NodeResponse. */
    type $Shape = NodeResponse.$Properties;
}

/**
 * Properties of a ValueResponse.
 * @deprecated Use ValueResponse.$Properties instead.
 */
export interface IValueResponse extends ValueResponse.$Properties {
}

/** Represents a ValueResponse. */
export class ValueResponse {

    /**
     * Constructs a new ValueResponse.
     * @param [properties] Properties to set
     */
    constructor(properties?: ValueResponse.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** ValueResponse values. */
    values: Uint8Array[];

    /**
     * Encodes the specified ValueResponse message. Does not implicitly {@link ValueResponse.verify|verify} messages.
     * @param message ValueResponse message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: ValueResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a ValueResponse message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {ValueResponse & ValueResponse.$Shape} ValueResponse
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): ValueResponse & ValueResponse.$Shape;
}

export namespace ValueResponse {

    /** Properties of a ValueResponse. */
    interface $Properties {

        /** ValueResponse values */
        values?: (Uint8Array[]|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a ValueResponse. */
    type $Shape = ValueResponse.$Properties;
}
