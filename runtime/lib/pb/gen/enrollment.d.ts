import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/**
 * Properties of an EnrollmentRequest.
 * @deprecated Use EnrollmentRequest.$Properties instead.
 */
export interface IEnrollmentRequest extends EnrollmentRequest.$Properties {
}

/** Represents an EnrollmentRequest. */
export class EnrollmentRequest {

    /**
     * Constructs a new EnrollmentRequest.
     * @param [properties] Properties to set
     */
    constructor(properties?: EnrollmentRequest.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** EnrollmentRequest id. */
    id: Uint8Array;

    /** EnrollmentRequest extensions. */
    extensions: number;

    /** EnrollmentRequest layer. */
    layer: string;

    /** EnrollmentRequest ipcpType. */
    ipcpType: number;

    /** EnrollmentRequest address. */
    address: (number|Long);

    /**
     * Encodes the specified EnrollmentRequest message. Does not implicitly {@link EnrollmentRequest.verify|verify} messages.
     * @param message EnrollmentRequest message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: EnrollmentRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes an EnrollmentRequest message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {EnrollmentRequest & EnrollmentRequest.$Shape} EnrollmentRequest
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): EnrollmentRequest & EnrollmentRequest.$Shape;
}

export namespace EnrollmentRequest {

    /** Properties of an EnrollmentRequest. */
    interface $Properties {

        /** EnrollmentRequest id */
        id: Uint8Array;

        /** EnrollmentRequest extensions */
        extensions?: (number|null);

        /** EnrollmentRequest layer */
        layer?: (string|null);

        /** EnrollmentRequest ipcpType */
        ipcpType?: (number|null);

        /** EnrollmentRequest address */
        address?: (number|Long|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of an EnrollmentRequest. */
    type $Shape = EnrollmentRequest.$Properties;
}

/**
 * Properties of an EnrollmentResponse.
 * @deprecated Use EnrollmentResponse.$Properties instead.
 */
export interface IEnrollmentResponse extends EnrollmentResponse.$Properties {
}

/** Represents an EnrollmentResponse. */
export class EnrollmentResponse {

    /**
     * Constructs a new EnrollmentResponse.
     * @param [properties] Properties to set
     */
    constructor(properties?: EnrollmentResponse.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** EnrollmentResponse id. */
    id: Uint8Array;

    /** EnrollmentResponse tSec. */
    tSec: (number|Long);

    /** EnrollmentResponse tNsec. */
    tNsec: number;

    /** EnrollmentResponse response. */
    response: number;

    /** EnrollmentResponse conf. */
    conf?: (IpcpConfig.$Properties|null);

    /** EnrollmentResponse extensions. */
    extensions: number;

    /** EnrollmentResponse reason. */
    reason: string;

    /** EnrollmentResponse address. */
    address: (number|Long);

    /**
     * Encodes the specified EnrollmentResponse message. Does not implicitly {@link EnrollmentResponse.verify|verify} messages.
     * @param message EnrollmentResponse message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: EnrollmentResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes an EnrollmentResponse message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {EnrollmentResponse & EnrollmentResponse.$Shape} EnrollmentResponse
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): EnrollmentResponse & EnrollmentResponse.$Shape;
}

export namespace EnrollmentResponse {

    /** Properties of an EnrollmentResponse. */
    interface $Properties {

        /** EnrollmentResponse id */
        id: Uint8Array;

        /** EnrollmentResponse tSec */
        tSec: (number|Long);

        /** EnrollmentResponse tNsec */
        tNsec: number;

        /** EnrollmentResponse response */
        response: number;

        /** EnrollmentResponse conf */
        conf?: (IpcpConfig.$Properties|null);

        /** EnrollmentResponse extensions */
        extensions?: (number|null);

        /** EnrollmentResponse reason */
        reason?: (string|null);

        /** EnrollmentResponse address */
        address?: (number|Long|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of an EnrollmentResponse. */
    type $Shape = EnrollmentResponse.$Properties;
}

/**
 * Properties of an EnrollmentAck.
 * @deprecated Use EnrollmentAck.$Properties instead.
 */
export interface IEnrollmentAck extends EnrollmentAck.$Properties {
}

/** Represents an EnrollmentAck. */
export class EnrollmentAck {

    /**
     * Constructs a new EnrollmentAck.
     * @param [properties] Properties to set
     */
    constructor(properties?: EnrollmentAck.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** EnrollmentAck id. */
    id: Uint8Array;

    /** EnrollmentAck result. */
    result: number;

    /**
     * Encodes the specified EnrollmentAck message. Does not implicitly {@link EnrollmentAck.verify|verify} messages.
     * @param message EnrollmentAck message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: EnrollmentAck.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes an EnrollmentAck message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {EnrollmentAck & EnrollmentAck.$Shape} EnrollmentAck
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): EnrollmentAck & EnrollmentAck.$Shape;
}

export namespace EnrollmentAck {

    /** Properties of an EnrollmentAck. */
    interface $Properties {

        /** EnrollmentAck id */
        id: Uint8Array;

        /** EnrollmentAck result */
        result: number;

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of an EnrollmentAck. */
    type $Shape = EnrollmentAck.$Properties;
}

/**
 * Properties of an IpcpConfig.
 * @deprecated Use IpcpConfig.$Properties instead.
 */
export interface IIpcpConfig extends IpcpConfig.$Properties {
}

/** Represents an IpcpConfig. */
export class IpcpConfig {

    /**
     * Constructs a new IpcpConfig.
     * @param [properties] Properties to set
     */
    constructor(properties?: IpcpConfig.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** IpcpConfig layerInfo. */
    layerInfo: LayerInfo.$Properties;

    /** IpcpConfig ipcpType. */
    ipcpType: number;

    /** IpcpConfig unicast. */
    unicast?: (UnicastConfig.$Properties|null);

    /**
     * Encodes the specified IpcpConfig message. Does not implicitly {@link IpcpConfig.verify|verify} messages.
     * @param message IpcpConfig message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: IpcpConfig.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes an IpcpConfig message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {IpcpConfig & IpcpConfig.$Shape} IpcpConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): IpcpConfig & IpcpConfig.$Shape;
}

export namespace IpcpConfig {

    /** Properties of an IpcpConfig. */
    interface $Properties {

        /** IpcpConfig layerInfo */
        layerInfo: LayerInfo.$Properties;

        /** IpcpConfig ipcpType */
        ipcpType: number;

        /** IpcpConfig unicast */
        unicast?: (UnicastConfig.$Properties|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of an IpcpConfig. */
    type $Shape = IpcpConfig.$Properties;
}

/**
 * Properties of a LayerInfo.
 * @deprecated Use LayerInfo.$Properties instead.
 */
export interface ILayerInfo extends LayerInfo.$Properties {
}

/** Represents a LayerInfo. */
export class LayerInfo {

    /**
     * Constructs a new LayerInfo.
     * @param [properties] Properties to set
     */
    constructor(properties?: LayerInfo.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** LayerInfo name. */
    name: string;

    /** LayerInfo dirHashAlgo. */
    dirHashAlgo: number;

    /**
     * Encodes the specified LayerInfo message. Does not implicitly {@link LayerInfo.verify|verify} messages.
     * @param message LayerInfo message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: LayerInfo.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a LayerInfo message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {LayerInfo & LayerInfo.$Shape} LayerInfo
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): LayerInfo & LayerInfo.$Shape;
}

export namespace LayerInfo {

    /** Properties of a LayerInfo. */
    interface $Properties {

        /** LayerInfo name */
        name: string;

        /** LayerInfo dirHashAlgo */
        dirHashAlgo: number;

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a LayerInfo. */
    type $Shape = LayerInfo.$Properties;
}

/**
 * Properties of a UnicastConfig.
 * @deprecated Use UnicastConfig.$Properties instead.
 */
export interface IUnicastConfig extends UnicastConfig.$Properties {
}

/** Represents a UnicastConfig. */
export class UnicastConfig {

    /**
     * Constructs a new UnicastConfig.
     * @param [properties] Properties to set
     */
    constructor(properties?: UnicastConfig.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** UnicastConfig dt. */
    dt: DtConfig.$Properties;

    /** UnicastConfig dir. */
    dir: DirConfig.$Properties;

    /** UnicastConfig addrAuthType. */
    addrAuthType: number;

    /** UnicastConfig congAvoid. */
    congAvoid: number;

    /**
     * Encodes the specified UnicastConfig message. Does not implicitly {@link UnicastConfig.verify|verify} messages.
     * @param message UnicastConfig message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: UnicastConfig.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a UnicastConfig message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {UnicastConfig & UnicastConfig.$Shape} UnicastConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): UnicastConfig & UnicastConfig.$Shape;
}

export namespace UnicastConfig {

    /** Properties of a UnicastConfig. */
    interface $Properties {

        /** UnicastConfig dt */
        dt: DtConfig.$Properties;

        /** UnicastConfig dir */
        dir: DirConfig.$Properties;

        /** UnicastConfig addrAuthType */
        addrAuthType: number;

        /** UnicastConfig congAvoid */
        congAvoid: number;

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a UnicastConfig. */
    type $Shape = UnicastConfig.$Properties;
}

/**
 * Properties of a DtConfig.
 * @deprecated Use DtConfig.$Properties instead.
 */
export interface IDtConfig extends DtConfig.$Properties {
}

/** Represents a DtConfig. */
export class DtConfig {

    /**
     * Constructs a new DtConfig.
     * @param [properties] Properties to set
     */
    constructor(properties?: DtConfig.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** DtConfig addrSize. */
    addrSize: number;

    /** DtConfig eidSize. */
    eidSize: number;

    /** DtConfig maxTtl. */
    maxTtl: number;

    /** DtConfig routing. */
    routing: RoutingConfig.$Properties;

    /**
     * Encodes the specified DtConfig message. Does not implicitly {@link DtConfig.verify|verify} messages.
     * @param message DtConfig message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: DtConfig.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a DtConfig message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {DtConfig & DtConfig.$Shape} DtConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): DtConfig & DtConfig.$Shape;
}

export namespace DtConfig {

    /** Properties of a DtConfig. */
    interface $Properties {

        /** DtConfig addrSize */
        addrSize: number;

        /** DtConfig eidSize */
        eidSize: number;

        /** DtConfig maxTtl */
        maxTtl: number;

        /** DtConfig routing */
        routing: RoutingConfig.$Properties;

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a DtConfig. */
    type $Shape = DtConfig.$Properties;
}

/**
 * Properties of a RoutingConfig.
 * @deprecated Use RoutingConfig.$Properties instead.
 */
export interface IRoutingConfig extends RoutingConfig.$Properties {
}

/** Represents a RoutingConfig. */
export class RoutingConfig {

    /**
     * Constructs a new RoutingConfig.
     * @param [properties] Properties to set
     */
    constructor(properties?: RoutingConfig.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** RoutingConfig pol. */
    pol: number;

    /** RoutingConfig ls. */
    ls?: (LsConfig.$Properties|null);

    /**
     * Encodes the specified RoutingConfig message. Does not implicitly {@link RoutingConfig.verify|verify} messages.
     * @param message RoutingConfig message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: RoutingConfig.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a RoutingConfig message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {RoutingConfig & RoutingConfig.$Shape} RoutingConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): RoutingConfig & RoutingConfig.$Shape;
}

export namespace RoutingConfig {

    /** Properties of a RoutingConfig. */
    interface $Properties {

        /** RoutingConfig pol */
        pol: number;

        /** RoutingConfig ls */
        ls?: (LsConfig.$Properties|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a RoutingConfig. */
    type $Shape = RoutingConfig.$Properties;
}

/**
 * Properties of a LsConfig.
 * @deprecated Use LsConfig.$Properties instead.
 */
export interface ILsConfig extends LsConfig.$Properties {
}

/** Represents a LsConfig. */
export class LsConfig {

    /**
     * Constructs a new LsConfig.
     * @param [properties] Properties to set
     */
    constructor(properties?: LsConfig.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** LsConfig pol. */
    pol: number;

    /** LsConfig tRecalc. */
    tRecalc: number;

    /** LsConfig tUpdate. */
    tUpdate: number;

    /** LsConfig tTimeo. */
    tTimeo: number;

    /**
     * Encodes the specified LsConfig message. Does not implicitly {@link LsConfig.verify|verify} messages.
     * @param message LsConfig message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: LsConfig.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a LsConfig message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {LsConfig & LsConfig.$Shape} LsConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): LsConfig & LsConfig.$Shape;
}

export namespace LsConfig {

    /** Properties of a LsConfig. */
    interface $Properties {

        /** LsConfig pol */
        pol: number;

        /** LsConfig tRecalc */
        tRecalc: number;

        /** LsConfig tUpdate */
        tUpdate: number;

        /** LsConfig tTimeo */
        tTimeo: number;

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a LsConfig. */
    type $Shape = LsConfig.$Properties;
}

/**
 * Properties of a DirConfig.
 * @deprecated Use DirConfig.$Properties instead.
 */
export interface IDirConfig extends DirConfig.$Properties {
}

/** Represents a DirConfig. */
export class DirConfig {

    /**
     * Constructs a new DirConfig.
     * @param [properties] Properties to set
     */
    constructor(properties?: DirConfig.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** DirConfig pol. */
    pol: number;

    /** DirConfig dht. */
    dht?: (DhtConfig.$Properties|null);

    /**
     * Encodes the specified DirConfig message. Does not implicitly {@link DirConfig.verify|verify} messages.
     * @param message DirConfig message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: DirConfig.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a DirConfig message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {DirConfig & DirConfig.$Shape} DirConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): DirConfig & DirConfig.$Shape;
}

export namespace DirConfig {

    /** Properties of a DirConfig. */
    interface $Properties {

        /** DirConfig pol */
        pol: number;

        /** DirConfig dht */
        dht?: (DhtConfig.$Properties|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a DirConfig. */
    type $Shape = DirConfig.$Properties;
}

/**
 * Properties of a DhtConfig.
 * @deprecated Use DhtConfig.$Properties instead.
 */
export interface IDhtConfig extends DhtConfig.$Properties {
}

/** Represents a DhtConfig. */
export class DhtConfig {

    /**
     * Constructs a new DhtConfig.
     * @param [properties] Properties to set
     */
    constructor(properties?: DhtConfig.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** DhtConfig alpha. */
    alpha: number;

    /** DhtConfig k. */
    k: number;

    /** DhtConfig tExpire. */
    tExpire: number;

    /** DhtConfig tRefresh. */
    tRefresh: number;

    /** DhtConfig tReplicate. */
    tReplicate: number;

    /** DhtConfig peer. */
    peer: (number|Long);

    /**
     * Encodes the specified DhtConfig message. Does not implicitly {@link DhtConfig.verify|verify} messages.
     * @param message DhtConfig message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: DhtConfig.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a DhtConfig message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {DhtConfig & DhtConfig.$Shape} DhtConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): DhtConfig & DhtConfig.$Shape;
}

export namespace DhtConfig {

    /** Properties of a DhtConfig. */
    interface $Properties {

        /** DhtConfig alpha */
        alpha: number;

        /** DhtConfig k */
        k: number;

        /** DhtConfig tExpire */
        tExpire: number;

        /** DhtConfig tRefresh */
        tRefresh: number;

        /** DhtConfig tReplicate */
        tReplicate: number;

        /** DhtConfig peer */
        peer: (number|Long);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a DhtConfig. */
    type $Shape = DhtConfig.$Properties;
}
