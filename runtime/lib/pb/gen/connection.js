/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["o7s-connection"] || ($protobuf.roots["o7s-connection"] = {});

export const FixedSyntax = $root.FixedSyntax = (() => {

    /**
     * Properties of a FixedSyntax.
     * @typedef {Object} FixedSyntax.$Properties
     * @property {Array.<number>|null} [fids] FixedSyntax fids
     * @property {Array.<number>|null} [lens] FixedSyntax lens
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a FixedSyntax.
     * @exports IFixedSyntax
     * @interface IFixedSyntax
     * @augments FixedSyntax.$Properties
     * @deprecated Use FixedSyntax.$Properties instead.
     */

    /**
     * Shape of a FixedSyntax.
     * @typedef {FixedSyntax.$Properties} FixedSyntax.$Shape
     */

    /**
     * Constructs a new FixedSyntax.
     * @exports FixedSyntax
     * @classdesc Represents a FixedSyntax.
     * @constructor
     * @param {FixedSyntax.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const FixedSyntax = function (properties) {
        this.fids = [];
        this.lens = [];
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * FixedSyntax fids.
     * @member {Array.<number>} fids
     * @memberof FixedSyntax
     * @instance
     */
    FixedSyntax.prototype.fids = $util.emptyArray;

    /**
     * FixedSyntax lens.
     * @member {Array.<number>} lens
     * @memberof FixedSyntax
     * @instance
     */
    FixedSyntax.prototype.lens = $util.emptyArray;

    /**
     * Encodes the specified FixedSyntax message. Does not implicitly {@link FixedSyntax.verify|verify} messages.
     * @function encode
     * @memberof FixedSyntax
     * @static
     * @param {FixedSyntax.$Properties} message FixedSyntax message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    FixedSyntax.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        if (message.fids != null && message.fids.length)
            for (let i = 0; i < message.fids.length; ++i)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.fids[i]);
        if (message.lens != null && message.lens.length)
            for (let i = 0; i < message.lens.length; ++i)
                writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.lens[i]);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a FixedSyntax message from the specified reader or buffer.
     * @function decode
     * @memberof FixedSyntax
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {FixedSyntax & FixedSyntax.$Shape} FixedSyntax
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    FixedSyntax.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.FixedSyntax();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 1: {
                    if (wireType === 2) {
                        if (!(message.fids && message.fids.length))
                            message.fids = [];
                        reader.uint32s(message.fids);
                        continue;
                    }
                    if (wireType !== 0)
                        break;
                    if (!(message.fids && message.fids.length))
                        message.fids = [];
                    message.fids.push(reader.uint32());
                    continue;
                }
            case 2: {
                    if (wireType === 2) {
                        if (!(message.lens && message.lens.length))
                            message.lens = [];
                        reader.uint32s(message.lens);
                        continue;
                    }
                    if (wireType !== 0)
                        break;
                    if (!(message.lens && message.lens.length))
                        message.lens = [];
                    message.lens.push(reader.uint32());
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        return message;
    };

    return FixedSyntax;
})();

export const Connection = $root.Connection = (() => {

    /**
     * Properties of a Connection.
     * @typedef {Object} Connection.$Properties
     * @property {string} compName Connection compName
     * @property {string} protocol Connection protocol
     * @property {number} prefVersion Connection prefVersion
     * @property {Array.<number>|null} [suppVersion] Connection suppVersion
     * @property {number} prefSyntax Connection prefSyntax
     * @property {Array.<number>|null} [suppSyntax] Connection suppSyntax
     * @property {FixedSyntax.$Properties|null} [syntaxSpec] Connection syntaxSpec
     * @property {number|Long} address Connection address
     * @property {number|null} [extensions] Connection extensions
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a Connection.
     * @exports IConnection
     * @interface IConnection
     * @augments Connection.$Properties
     * @deprecated Use Connection.$Properties instead.
     */

    /**
     * Shape of a Connection.
     * @typedef {Connection.$Properties} Connection.$Shape
     */

    /**
     * Constructs a new Connection.
     * @exports Connection
     * @classdesc Represents a Connection.
     * @constructor
     * @param {Connection.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const Connection = function (properties) {
        this.suppVersion = [];
        this.suppSyntax = [];
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * Connection compName.
     * @member {string} compName
     * @memberof Connection
     * @instance
     */
    Connection.prototype.compName = "";

    /**
     * Connection protocol.
     * @member {string} protocol
     * @memberof Connection
     * @instance
     */
    Connection.prototype.protocol = "";

    /**
     * Connection prefVersion.
     * @member {number} prefVersion
     * @memberof Connection
     * @instance
     */
    Connection.prototype.prefVersion = 0;

    /**
     * Connection suppVersion.
     * @member {Array.<number>} suppVersion
     * @memberof Connection
     * @instance
     */
    Connection.prototype.suppVersion = $util.emptyArray;

    /**
     * Connection prefSyntax.
     * @member {number} prefSyntax
     * @memberof Connection
     * @instance
     */
    Connection.prototype.prefSyntax = 0;

    /**
     * Connection suppSyntax.
     * @member {Array.<number>} suppSyntax
     * @memberof Connection
     * @instance
     */
    Connection.prototype.suppSyntax = $util.emptyArray;

    /**
     * Connection syntaxSpec.
     * @member {FixedSyntax.$Properties|null|undefined} syntaxSpec
     * @memberof Connection
     * @instance
     */
    Connection.prototype.syntaxSpec = null;

    /**
     * Connection address.
     * @member {number|Long} address
     * @memberof Connection
     * @instance
     */
    Connection.prototype.address = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

    /**
     * Connection extensions.
     * @member {number} extensions
     * @memberof Connection
     * @instance
     */
    Connection.prototype.extensions = 0;

    /**
     * Encodes the specified Connection message. Does not implicitly {@link Connection.verify|verify} messages.
     * @function encode
     * @memberof Connection
     * @static
     * @param {Connection.$Properties} message Connection message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    Connection.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 2 =*/10).string(message.compName);
        writer.uint32(/* id 2, wireType 2 =*/18).string(message.protocol);
        writer.uint32(/* id 3, wireType 0 =*/24).int32(message.prefVersion);
        if (message.suppVersion != null && message.suppVersion.length)
            for (let i = 0; i < message.suppVersion.length; ++i)
                writer.uint32(/* id 4, wireType 0 =*/32).int32(message.suppVersion[i]);
        writer.uint32(/* id 5, wireType 0 =*/40).int32(message.prefSyntax);
        if (message.suppSyntax != null && message.suppSyntax.length)
            for (let i = 0; i < message.suppSyntax.length; ++i)
                writer.uint32(/* id 6, wireType 0 =*/48).int32(message.suppSyntax[i]);
        if (message.syntaxSpec != null && $Object.hasOwnProperty.call(message, "syntaxSpec"))
            $root.FixedSyntax.encode(message.syntaxSpec, writer.uint32(/* id 7, wireType 2 =*/58).fork(), _depth + 1).ldelim();
        writer.uint32(/* id 8, wireType 0 =*/64).uint64(message.address);
        if (message.extensions != null && $Object.hasOwnProperty.call(message, "extensions"))
            writer.uint32(/* id 100, wireType 0 =*/800).uint32(message.extensions);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a Connection message from the specified reader or buffer.
     * @function decode
     * @memberof Connection
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {Connection & Connection.$Shape} Connection
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    Connection.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.Connection();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 1: {
                    if (wireType !== 2)
                        break;
                    message.compName = reader.string();
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.protocol = reader.string();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.prefVersion = reader.int32();
                    continue;
                }
            case 4: {
                    if (wireType === 2) {
                        if (!(message.suppVersion && message.suppVersion.length))
                            message.suppVersion = [];
                        reader.int32s(message.suppVersion);
                        continue;
                    }
                    if (wireType !== 0)
                        break;
                    if (!(message.suppVersion && message.suppVersion.length))
                        message.suppVersion = [];
                    message.suppVersion.push(reader.int32());
                    continue;
                }
            case 5: {
                    if (wireType !== 0)
                        break;
                    message.prefSyntax = reader.int32();
                    continue;
                }
            case 6: {
                    if (wireType === 2) {
                        if (!(message.suppSyntax && message.suppSyntax.length))
                            message.suppSyntax = [];
                        reader.int32s(message.suppSyntax);
                        continue;
                    }
                    if (wireType !== 0)
                        break;
                    if (!(message.suppSyntax && message.suppSyntax.length))
                        message.suppSyntax = [];
                    message.suppSyntax.push(reader.int32());
                    continue;
                }
            case 7: {
                    if (wireType !== 2)
                        break;
                    message.syntaxSpec = $root.FixedSyntax.decode(reader, reader.size(), $undefined, _depth + 1, message.syntaxSpec);
                    continue;
                }
            case 8: {
                    if (wireType !== 0)
                        break;
                    message.address = reader.uint64();
                    continue;
                }
            case 100: {
                    if (wireType !== 0)
                        break;
                    message.extensions = reader.uint32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "compName"))
            throw $util.ProtocolError("missing required 'compName'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "protocol"))
            throw $util.ProtocolError("missing required 'protocol'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "prefVersion"))
            throw $util.ProtocolError("missing required 'prefVersion'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "prefSyntax"))
            throw $util.ProtocolError("missing required 'prefSyntax'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "address"))
            throw $util.ProtocolError("missing required 'address'", { instance: message });
        return message;
    };

    return Connection;
})();

export {
  $root as default
};
