import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/**
 * Properties of a FixedSyntax.
 * @deprecated Use FixedSyntax.$Properties instead.
 */
export interface IFixedSyntax extends FixedSyntax.$Properties {
}

/** Represents a FixedSyntax. */
export class FixedSyntax {

    /**
     * Constructs a new FixedSyntax.
     * @param [properties] Properties to set
     */
    constructor(properties?: FixedSyntax.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** FixedSyntax fids. */
    fids: number[];

    /** FixedSyntax lens. */
    lens: number[];

    /**
     * Encodes the specified FixedSyntax message. Does not implicitly {@link FixedSyntax.verify|verify} messages.
     * @param message FixedSyntax message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: FixedSyntax.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a FixedSyntax message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {FixedSyntax & FixedSyntax.$Shape} FixedSyntax
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): FixedSyntax & FixedSyntax.$Shape;
}

export namespace FixedSyntax {

    /** Properties of a FixedSyntax. */
    interface $Properties {

        /** FixedSyntax fids */
        fids?: (number[]|null);

        /** FixedSyntax lens */
        lens?: (number[]|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a FixedSyntax. */
    type $Shape = FixedSyntax.$Properties;
}

/**
 * Properties of a Connection.
 * @deprecated Use Connection.$Properties instead.
 */
export interface IConnection extends Connection.$Properties {
}

/** Represents a Connection. */
export class Connection {

    /**
     * Constructs a new Connection.
     * @param [properties] Properties to set
     */
    constructor(properties?: Connection.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** Connection compName. */
    compName: string;

    /** Connection protocol. */
    protocol: string;

    /** Connection prefVersion. */
    prefVersion: number;

    /** Connection suppVersion. */
    suppVersion: number[];

    /** Connection prefSyntax. */
    prefSyntax: number;

    /** Connection suppSyntax. */
    suppSyntax: number[];

    /** Connection syntaxSpec. */
    syntaxSpec?: (FixedSyntax.$Properties|null);

    /** Connection address. */
    address: (number|Long);

    /** Connection extensions. */
    extensions: number;

    /**
     * Encodes the specified Connection message. Does not implicitly {@link Connection.verify|verify} messages.
     * @param message Connection message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: Connection.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a Connection message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {Connection & Connection.$Shape} Connection
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): Connection & Connection.$Shape;
}

export namespace Connection {

    /** Properties of a Connection. */
    interface $Properties {

        /** Connection compName */
        compName: string;

        /** Connection protocol */
        protocol: string;

        /** Connection prefVersion */
        prefVersion: number;

        /** Connection suppVersion */
        suppVersion?: (number[]|null);

        /** Connection prefSyntax */
        prefSyntax: number;

        /** Connection suppSyntax */
        suppSyntax?: (number[]|null);

        /** Connection syntaxSpec */
        syntaxSpec?: (FixedSyntax.$Properties|null);

        /** Connection address */
        address: (number|Long);

        /** Connection extensions */
        extensions?: (number|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a Connection. */
    type $Shape = Connection.$Properties;
}
