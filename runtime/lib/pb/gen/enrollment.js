/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["o7s-enrollment"] || ($protobuf.roots["o7s-enrollment"] = {});

export const EnrollmentRequest = $root.EnrollmentRequest = (() => {

    /**
     * Properties of an EnrollmentRequest.
     * @typedef {Object} EnrollmentRequest.$Properties
     * @property {Uint8Array} id EnrollmentRequest id
     * @property {number|null} [extensions] EnrollmentRequest extensions
     * @property {string|null} [layer] EnrollmentRequest layer
     * @property {number|null} [ipcpType] EnrollmentRequest ipcpType
     * @property {number|Long|null} [address] EnrollmentRequest address
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of an EnrollmentRequest.
     * @exports IEnrollmentRequest
     * @interface IEnrollmentRequest
     * @augments EnrollmentRequest.$Properties
     * @deprecated Use EnrollmentRequest.$Properties instead.
     */

    /**
     * Shape of an EnrollmentRequest.
     * @typedef {EnrollmentRequest.$Properties} EnrollmentRequest.$Shape
     */

    /**
     * Constructs a new EnrollmentRequest.
     * @exports EnrollmentRequest
     * @classdesc Represents an EnrollmentRequest.
     * @constructor
     * @param {EnrollmentRequest.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const EnrollmentRequest = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * EnrollmentRequest id.
     * @member {Uint8Array} id
     * @memberof EnrollmentRequest
     * @instance
     */
    EnrollmentRequest.prototype.id = $util.newBuffer([]);

    /**
     * EnrollmentRequest extensions.
     * @member {number} extensions
     * @memberof EnrollmentRequest
     * @instance
     */
    EnrollmentRequest.prototype.extensions = 0;

    /**
     * EnrollmentRequest layer.
     * @member {string} layer
     * @memberof EnrollmentRequest
     * @instance
     */
    EnrollmentRequest.prototype.layer = "";

    /**
     * EnrollmentRequest ipcpType.
     * @member {number} ipcpType
     * @memberof EnrollmentRequest
     * @instance
     */
    EnrollmentRequest.prototype.ipcpType = 0;

    /**
     * EnrollmentRequest address.
     * @member {number|Long} address
     * @memberof EnrollmentRequest
     * @instance
     */
    EnrollmentRequest.prototype.address = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

    /**
     * Encodes the specified EnrollmentRequest message. Does not implicitly {@link EnrollmentRequest.verify|verify} messages.
     * @function encode
     * @memberof EnrollmentRequest
     * @static
     * @param {EnrollmentRequest.$Properties} message EnrollmentRequest message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    EnrollmentRequest.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.id);
        if (message.extensions != null && $Object.hasOwnProperty.call(message, "extensions"))
            writer.uint32(/* id 100, wireType 0 =*/800).uint32(message.extensions);
        if (message.layer != null && $Object.hasOwnProperty.call(message, "layer"))
            writer.uint32(/* id 101, wireType 2 =*/810).string(message.layer);
        if (message.ipcpType != null && $Object.hasOwnProperty.call(message, "ipcpType"))
            writer.uint32(/* id 102, wireType 0 =*/816).uint32(message.ipcpType);
        if (message.address != null && $Object.hasOwnProperty.call(message, "address"))
            writer.uint32(/* id 103, wireType 0 =*/824).uint64(message.address);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes an EnrollmentRequest message from the specified reader or buffer.
     * @function decode
     * @memberof EnrollmentRequest
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {EnrollmentRequest & EnrollmentRequest.$Shape} EnrollmentRequest
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    EnrollmentRequest.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.EnrollmentRequest();
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
                    message.id = reader.bytes();
                    continue;
                }
            case 100: {
                    if (wireType !== 0)
                        break;
                    message.extensions = reader.uint32();
                    continue;
                }
            case 101: {
                    if (wireType !== 2)
                        break;
                    message.layer = reader.string();
                    continue;
                }
            case 102: {
                    if (wireType !== 0)
                        break;
                    message.ipcpType = reader.uint32();
                    continue;
                }
            case 103: {
                    if (wireType !== 0)
                        break;
                    message.address = reader.uint64();
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
        if (!$Object.hasOwnProperty.call(message, "id"))
            throw $util.ProtocolError("missing required 'id'", { instance: message });
        return message;
    };

    return EnrollmentRequest;
})();

export const EnrollmentResponse = $root.EnrollmentResponse = (() => {

    /**
     * Properties of an EnrollmentResponse.
     * @typedef {Object} EnrollmentResponse.$Properties
     * @property {Uint8Array} id EnrollmentResponse id
     * @property {number|Long} tSec EnrollmentResponse tSec
     * @property {number} tNsec EnrollmentResponse tNsec
     * @property {number} response EnrollmentResponse response
     * @property {IpcpConfig.$Properties|null} [conf] EnrollmentResponse conf
     * @property {number|null} [extensions] EnrollmentResponse extensions
     * @property {string|null} [reason] EnrollmentResponse reason
     * @property {number|Long|null} [address] EnrollmentResponse address
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of an EnrollmentResponse.
     * @exports IEnrollmentResponse
     * @interface IEnrollmentResponse
     * @augments EnrollmentResponse.$Properties
     * @deprecated Use EnrollmentResponse.$Properties instead.
     */

    /**
     * Shape of an EnrollmentResponse.
     * @typedef {EnrollmentResponse.$Properties} EnrollmentResponse.$Shape
     */

    /**
     * Constructs a new EnrollmentResponse.
     * @exports EnrollmentResponse
     * @classdesc Represents an EnrollmentResponse.
     * @constructor
     * @param {EnrollmentResponse.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const EnrollmentResponse = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * EnrollmentResponse id.
     * @member {Uint8Array} id
     * @memberof EnrollmentResponse
     * @instance
     */
    EnrollmentResponse.prototype.id = $util.newBuffer([]);

    /**
     * EnrollmentResponse tSec.
     * @member {number|Long} tSec
     * @memberof EnrollmentResponse
     * @instance
     */
    EnrollmentResponse.prototype.tSec = $util.Long ? $util.Long.fromBits(0,0,false) : 0;

    /**
     * EnrollmentResponse tNsec.
     * @member {number} tNsec
     * @memberof EnrollmentResponse
     * @instance
     */
    EnrollmentResponse.prototype.tNsec = 0;

    /**
     * EnrollmentResponse response.
     * @member {number} response
     * @memberof EnrollmentResponse
     * @instance
     */
    EnrollmentResponse.prototype.response = 0;

    /**
     * EnrollmentResponse conf.
     * @member {IpcpConfig.$Properties|null|undefined} conf
     * @memberof EnrollmentResponse
     * @instance
     */
    EnrollmentResponse.prototype.conf = null;

    /**
     * EnrollmentResponse extensions.
     * @member {number} extensions
     * @memberof EnrollmentResponse
     * @instance
     */
    EnrollmentResponse.prototype.extensions = 0;

    /**
     * EnrollmentResponse reason.
     * @member {string} reason
     * @memberof EnrollmentResponse
     * @instance
     */
    EnrollmentResponse.prototype.reason = "";

    /**
     * EnrollmentResponse address.
     * @member {number|Long} address
     * @memberof EnrollmentResponse
     * @instance
     */
    EnrollmentResponse.prototype.address = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

    /**
     * Encodes the specified EnrollmentResponse message. Does not implicitly {@link EnrollmentResponse.verify|verify} messages.
     * @function encode
     * @memberof EnrollmentResponse
     * @static
     * @param {EnrollmentResponse.$Properties} message EnrollmentResponse message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    EnrollmentResponse.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.id);
        writer.uint32(/* id 2, wireType 0 =*/16).int64(message.tSec);
        writer.uint32(/* id 3, wireType 0 =*/24).int32(message.tNsec);
        writer.uint32(/* id 4, wireType 0 =*/32).int32(message.response);
        if (message.conf != null && $Object.hasOwnProperty.call(message, "conf"))
            $root.IpcpConfig.encode(message.conf, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
        if (message.extensions != null && $Object.hasOwnProperty.call(message, "extensions"))
            writer.uint32(/* id 100, wireType 0 =*/800).uint32(message.extensions);
        if (message.reason != null && $Object.hasOwnProperty.call(message, "reason"))
            writer.uint32(/* id 101, wireType 2 =*/810).string(message.reason);
        if (message.address != null && $Object.hasOwnProperty.call(message, "address"))
            writer.uint32(/* id 102, wireType 0 =*/816).uint64(message.address);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes an EnrollmentResponse message from the specified reader or buffer.
     * @function decode
     * @memberof EnrollmentResponse
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {EnrollmentResponse & EnrollmentResponse.$Shape} EnrollmentResponse
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    EnrollmentResponse.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.EnrollmentResponse();
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
                    message.id = reader.bytes();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.tSec = reader.int64();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.tNsec = reader.int32();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.response = reader.int32();
                    continue;
                }
            case 5: {
                    if (wireType !== 2)
                        break;
                    message.conf = $root.IpcpConfig.decode(reader, reader.size(), $undefined, _depth + 1, message.conf);
                    continue;
                }
            case 100: {
                    if (wireType !== 0)
                        break;
                    message.extensions = reader.uint32();
                    continue;
                }
            case 101: {
                    if (wireType !== 2)
                        break;
                    message.reason = reader.string();
                    continue;
                }
            case 102: {
                    if (wireType !== 0)
                        break;
                    message.address = reader.uint64();
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
        if (!$Object.hasOwnProperty.call(message, "id"))
            throw $util.ProtocolError("missing required 'id'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "tSec"))
            throw $util.ProtocolError("missing required 'tSec'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "tNsec"))
            throw $util.ProtocolError("missing required 'tNsec'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "response"))
            throw $util.ProtocolError("missing required 'response'", { instance: message });
        return message;
    };

    return EnrollmentResponse;
})();

export const EnrollmentAck = $root.EnrollmentAck = (() => {

    /**
     * Properties of an EnrollmentAck.
     * @typedef {Object} EnrollmentAck.$Properties
     * @property {Uint8Array} id EnrollmentAck id
     * @property {number} result EnrollmentAck result
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of an EnrollmentAck.
     * @exports IEnrollmentAck
     * @interface IEnrollmentAck
     * @augments EnrollmentAck.$Properties
     * @deprecated Use EnrollmentAck.$Properties instead.
     */

    /**
     * Shape of an EnrollmentAck.
     * @typedef {EnrollmentAck.$Properties} EnrollmentAck.$Shape
     */

    /**
     * Constructs a new EnrollmentAck.
     * @exports EnrollmentAck
     * @classdesc Represents an EnrollmentAck.
     * @constructor
     * @param {EnrollmentAck.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const EnrollmentAck = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * EnrollmentAck id.
     * @member {Uint8Array} id
     * @memberof EnrollmentAck
     * @instance
     */
    EnrollmentAck.prototype.id = $util.newBuffer([]);

    /**
     * EnrollmentAck result.
     * @member {number} result
     * @memberof EnrollmentAck
     * @instance
     */
    EnrollmentAck.prototype.result = 0;

    /**
     * Encodes the specified EnrollmentAck message. Does not implicitly {@link EnrollmentAck.verify|verify} messages.
     * @function encode
     * @memberof EnrollmentAck
     * @static
     * @param {EnrollmentAck.$Properties} message EnrollmentAck message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    EnrollmentAck.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.id);
        writer.uint32(/* id 2, wireType 0 =*/16).int32(message.result);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes an EnrollmentAck message from the specified reader or buffer.
     * @function decode
     * @memberof EnrollmentAck
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {EnrollmentAck & EnrollmentAck.$Shape} EnrollmentAck
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    EnrollmentAck.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.EnrollmentAck();
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
                    message.id = reader.bytes();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.result = reader.int32();
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
        if (!$Object.hasOwnProperty.call(message, "id"))
            throw $util.ProtocolError("missing required 'id'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "result"))
            throw $util.ProtocolError("missing required 'result'", { instance: message });
        return message;
    };

    return EnrollmentAck;
})();

export const IpcpConfig = $root.IpcpConfig = (() => {

    /**
     * Properties of an IpcpConfig.
     * @typedef {Object} IpcpConfig.$Properties
     * @property {LayerInfo.$Properties} layerInfo IpcpConfig layerInfo
     * @property {number} ipcpType IpcpConfig ipcpType
     * @property {UnicastConfig.$Properties|null} [unicast] IpcpConfig unicast
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of an IpcpConfig.
     * @exports IIpcpConfig
     * @interface IIpcpConfig
     * @augments IpcpConfig.$Properties
     * @deprecated Use IpcpConfig.$Properties instead.
     */

    /**
     * Shape of an IpcpConfig.
     * @typedef {IpcpConfig.$Properties} IpcpConfig.$Shape
     */

    /**
     * Constructs a new IpcpConfig.
     * @exports IpcpConfig
     * @classdesc Represents an IpcpConfig.
     * @constructor
     * @param {IpcpConfig.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const IpcpConfig = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * IpcpConfig layerInfo.
     * @member {LayerInfo.$Properties} layerInfo
     * @memberof IpcpConfig
     * @instance
     */
    IpcpConfig.prototype.layerInfo = null;

    /**
     * IpcpConfig ipcpType.
     * @member {number} ipcpType
     * @memberof IpcpConfig
     * @instance
     */
    IpcpConfig.prototype.ipcpType = 0;

    /**
     * IpcpConfig unicast.
     * @member {UnicastConfig.$Properties|null|undefined} unicast
     * @memberof IpcpConfig
     * @instance
     */
    IpcpConfig.prototype.unicast = null;

    /**
     * Encodes the specified IpcpConfig message. Does not implicitly {@link IpcpConfig.verify|verify} messages.
     * @function encode
     * @memberof IpcpConfig
     * @static
     * @param {IpcpConfig.$Properties} message IpcpConfig message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    IpcpConfig.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        $root.LayerInfo.encode(message.layerInfo, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.ipcpType);
        if (message.unicast != null && $Object.hasOwnProperty.call(message, "unicast"))
            $root.UnicastConfig.encode(message.unicast, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes an IpcpConfig message from the specified reader or buffer.
     * @function decode
     * @memberof IpcpConfig
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {IpcpConfig & IpcpConfig.$Shape} IpcpConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    IpcpConfig.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.IpcpConfig();
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
                    message.layerInfo = $root.LayerInfo.decode(reader, reader.size(), $undefined, _depth + 1, message.layerInfo);
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.ipcpType = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 2)
                        break;
                    message.unicast = $root.UnicastConfig.decode(reader, reader.size(), $undefined, _depth + 1, message.unicast);
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
        if (!$Object.hasOwnProperty.call(message, "layerInfo"))
            throw $util.ProtocolError("missing required 'layerInfo'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "ipcpType"))
            throw $util.ProtocolError("missing required 'ipcpType'", { instance: message });
        return message;
    };

    return IpcpConfig;
})();

export const LayerInfo = $root.LayerInfo = (() => {

    /**
     * Properties of a LayerInfo.
     * @typedef {Object} LayerInfo.$Properties
     * @property {string} name LayerInfo name
     * @property {number} dirHashAlgo LayerInfo dirHashAlgo
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a LayerInfo.
     * @exports ILayerInfo
     * @interface ILayerInfo
     * @augments LayerInfo.$Properties
     * @deprecated Use LayerInfo.$Properties instead.
     */

    /**
     * Shape of a LayerInfo.
     * @typedef {LayerInfo.$Properties} LayerInfo.$Shape
     */

    /**
     * Constructs a new LayerInfo.
     * @exports LayerInfo
     * @classdesc Represents a LayerInfo.
     * @constructor
     * @param {LayerInfo.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const LayerInfo = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * LayerInfo name.
     * @member {string} name
     * @memberof LayerInfo
     * @instance
     */
    LayerInfo.prototype.name = "";

    /**
     * LayerInfo dirHashAlgo.
     * @member {number} dirHashAlgo
     * @memberof LayerInfo
     * @instance
     */
    LayerInfo.prototype.dirHashAlgo = 0;

    /**
     * Encodes the specified LayerInfo message. Does not implicitly {@link LayerInfo.verify|verify} messages.
     * @function encode
     * @memberof LayerInfo
     * @static
     * @param {LayerInfo.$Properties} message LayerInfo message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    LayerInfo.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 2 =*/10).string(message.name);
        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.dirHashAlgo);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a LayerInfo message from the specified reader or buffer.
     * @function decode
     * @memberof LayerInfo
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {LayerInfo & LayerInfo.$Shape} LayerInfo
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    LayerInfo.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.LayerInfo();
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
                    message.name = reader.string();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.dirHashAlgo = reader.uint32();
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
        if (!$Object.hasOwnProperty.call(message, "name"))
            throw $util.ProtocolError("missing required 'name'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "dirHashAlgo"))
            throw $util.ProtocolError("missing required 'dirHashAlgo'", { instance: message });
        return message;
    };

    return LayerInfo;
})();

export const UnicastConfig = $root.UnicastConfig = (() => {

    /**
     * Properties of a UnicastConfig.
     * @typedef {Object} UnicastConfig.$Properties
     * @property {DtConfig.$Properties} dt UnicastConfig dt
     * @property {DirConfig.$Properties} dir UnicastConfig dir
     * @property {number} addrAuthType UnicastConfig addrAuthType
     * @property {number} congAvoid UnicastConfig congAvoid
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a UnicastConfig.
     * @exports IUnicastConfig
     * @interface IUnicastConfig
     * @augments UnicastConfig.$Properties
     * @deprecated Use UnicastConfig.$Properties instead.
     */

    /**
     * Shape of a UnicastConfig.
     * @typedef {UnicastConfig.$Properties} UnicastConfig.$Shape
     */

    /**
     * Constructs a new UnicastConfig.
     * @exports UnicastConfig
     * @classdesc Represents a UnicastConfig.
     * @constructor
     * @param {UnicastConfig.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const UnicastConfig = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * UnicastConfig dt.
     * @member {DtConfig.$Properties} dt
     * @memberof UnicastConfig
     * @instance
     */
    UnicastConfig.prototype.dt = null;

    /**
     * UnicastConfig dir.
     * @member {DirConfig.$Properties} dir
     * @memberof UnicastConfig
     * @instance
     */
    UnicastConfig.prototype.dir = null;

    /**
     * UnicastConfig addrAuthType.
     * @member {number} addrAuthType
     * @memberof UnicastConfig
     * @instance
     */
    UnicastConfig.prototype.addrAuthType = 0;

    /**
     * UnicastConfig congAvoid.
     * @member {number} congAvoid
     * @memberof UnicastConfig
     * @instance
     */
    UnicastConfig.prototype.congAvoid = 0;

    /**
     * Encodes the specified UnicastConfig message. Does not implicitly {@link UnicastConfig.verify|verify} messages.
     * @function encode
     * @memberof UnicastConfig
     * @static
     * @param {UnicastConfig.$Properties} message UnicastConfig message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    UnicastConfig.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        $root.DtConfig.encode(message.dt, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
        $root.DirConfig.encode(message.dir, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.addrAuthType);
        writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.congAvoid);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a UnicastConfig message from the specified reader or buffer.
     * @function decode
     * @memberof UnicastConfig
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {UnicastConfig & UnicastConfig.$Shape} UnicastConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    UnicastConfig.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.UnicastConfig();
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
                    message.dt = $root.DtConfig.decode(reader, reader.size(), $undefined, _depth + 1, message.dt);
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.dir = $root.DirConfig.decode(reader, reader.size(), $undefined, _depth + 1, message.dir);
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.addrAuthType = reader.uint32();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.congAvoid = reader.uint32();
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
        if (!$Object.hasOwnProperty.call(message, "dt"))
            throw $util.ProtocolError("missing required 'dt'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "dir"))
            throw $util.ProtocolError("missing required 'dir'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "addrAuthType"))
            throw $util.ProtocolError("missing required 'addrAuthType'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "congAvoid"))
            throw $util.ProtocolError("missing required 'congAvoid'", { instance: message });
        return message;
    };

    return UnicastConfig;
})();

export const DtConfig = $root.DtConfig = (() => {

    /**
     * Properties of a DtConfig.
     * @typedef {Object} DtConfig.$Properties
     * @property {number} addrSize DtConfig addrSize
     * @property {number} eidSize DtConfig eidSize
     * @property {number} maxTtl DtConfig maxTtl
     * @property {RoutingConfig.$Properties} routing DtConfig routing
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a DtConfig.
     * @exports IDtConfig
     * @interface IDtConfig
     * @augments DtConfig.$Properties
     * @deprecated Use DtConfig.$Properties instead.
     */

    /**
     * Shape of a DtConfig.
     * @typedef {DtConfig.$Properties} DtConfig.$Shape
     */

    /**
     * Constructs a new DtConfig.
     * @exports DtConfig
     * @classdesc Represents a DtConfig.
     * @constructor
     * @param {DtConfig.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const DtConfig = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * DtConfig addrSize.
     * @member {number} addrSize
     * @memberof DtConfig
     * @instance
     */
    DtConfig.prototype.addrSize = 0;

    /**
     * DtConfig eidSize.
     * @member {number} eidSize
     * @memberof DtConfig
     * @instance
     */
    DtConfig.prototype.eidSize = 0;

    /**
     * DtConfig maxTtl.
     * @member {number} maxTtl
     * @memberof DtConfig
     * @instance
     */
    DtConfig.prototype.maxTtl = 0;

    /**
     * DtConfig routing.
     * @member {RoutingConfig.$Properties} routing
     * @memberof DtConfig
     * @instance
     */
    DtConfig.prototype.routing = null;

    /**
     * Encodes the specified DtConfig message. Does not implicitly {@link DtConfig.verify|verify} messages.
     * @function encode
     * @memberof DtConfig
     * @static
     * @param {DtConfig.$Properties} message DtConfig message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    DtConfig.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.addrSize);
        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.eidSize);
        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.maxTtl);
        $root.RoutingConfig.encode(message.routing, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a DtConfig message from the specified reader or buffer.
     * @function decode
     * @memberof DtConfig
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {DtConfig & DtConfig.$Shape} DtConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    DtConfig.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.DtConfig();
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
                    if (wireType !== 0)
                        break;
                    message.addrSize = reader.uint32();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.eidSize = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.maxTtl = reader.uint32();
                    continue;
                }
            case 4: {
                    if (wireType !== 2)
                        break;
                    message.routing = $root.RoutingConfig.decode(reader, reader.size(), $undefined, _depth + 1, message.routing);
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
        if (!$Object.hasOwnProperty.call(message, "addrSize"))
            throw $util.ProtocolError("missing required 'addrSize'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "eidSize"))
            throw $util.ProtocolError("missing required 'eidSize'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "maxTtl"))
            throw $util.ProtocolError("missing required 'maxTtl'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "routing"))
            throw $util.ProtocolError("missing required 'routing'", { instance: message });
        return message;
    };

    return DtConfig;
})();

export const RoutingConfig = $root.RoutingConfig = (() => {

    /**
     * Properties of a RoutingConfig.
     * @typedef {Object} RoutingConfig.$Properties
     * @property {number} pol RoutingConfig pol
     * @property {LsConfig.$Properties|null} [ls] RoutingConfig ls
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a RoutingConfig.
     * @exports IRoutingConfig
     * @interface IRoutingConfig
     * @augments RoutingConfig.$Properties
     * @deprecated Use RoutingConfig.$Properties instead.
     */

    /**
     * Shape of a RoutingConfig.
     * @typedef {RoutingConfig.$Properties} RoutingConfig.$Shape
     */

    /**
     * Constructs a new RoutingConfig.
     * @exports RoutingConfig
     * @classdesc Represents a RoutingConfig.
     * @constructor
     * @param {RoutingConfig.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const RoutingConfig = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * RoutingConfig pol.
     * @member {number} pol
     * @memberof RoutingConfig
     * @instance
     */
    RoutingConfig.prototype.pol = 0;

    /**
     * RoutingConfig ls.
     * @member {LsConfig.$Properties|null|undefined} ls
     * @memberof RoutingConfig
     * @instance
     */
    RoutingConfig.prototype.ls = null;

    /**
     * Encodes the specified RoutingConfig message. Does not implicitly {@link RoutingConfig.verify|verify} messages.
     * @function encode
     * @memberof RoutingConfig
     * @static
     * @param {RoutingConfig.$Properties} message RoutingConfig message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    RoutingConfig.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.pol);
        if (message.ls != null && $Object.hasOwnProperty.call(message, "ls"))
            $root.LsConfig.encode(message.ls, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a RoutingConfig message from the specified reader or buffer.
     * @function decode
     * @memberof RoutingConfig
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {RoutingConfig & RoutingConfig.$Shape} RoutingConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    RoutingConfig.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.RoutingConfig();
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
                    if (wireType !== 0)
                        break;
                    message.pol = reader.uint32();
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.ls = $root.LsConfig.decode(reader, reader.size(), $undefined, _depth + 1, message.ls);
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
        if (!$Object.hasOwnProperty.call(message, "pol"))
            throw $util.ProtocolError("missing required 'pol'", { instance: message });
        return message;
    };

    return RoutingConfig;
})();

export const LsConfig = $root.LsConfig = (() => {

    /**
     * Properties of a LsConfig.
     * @typedef {Object} LsConfig.$Properties
     * @property {number} pol LsConfig pol
     * @property {number} tRecalc LsConfig tRecalc
     * @property {number} tUpdate LsConfig tUpdate
     * @property {number} tTimeo LsConfig tTimeo
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a LsConfig.
     * @exports ILsConfig
     * @interface ILsConfig
     * @augments LsConfig.$Properties
     * @deprecated Use LsConfig.$Properties instead.
     */

    /**
     * Shape of a LsConfig.
     * @typedef {LsConfig.$Properties} LsConfig.$Shape
     */

    /**
     * Constructs a new LsConfig.
     * @exports LsConfig
     * @classdesc Represents a LsConfig.
     * @constructor
     * @param {LsConfig.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const LsConfig = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * LsConfig pol.
     * @member {number} pol
     * @memberof LsConfig
     * @instance
     */
    LsConfig.prototype.pol = 0;

    /**
     * LsConfig tRecalc.
     * @member {number} tRecalc
     * @memberof LsConfig
     * @instance
     */
    LsConfig.prototype.tRecalc = 0;

    /**
     * LsConfig tUpdate.
     * @member {number} tUpdate
     * @memberof LsConfig
     * @instance
     */
    LsConfig.prototype.tUpdate = 0;

    /**
     * LsConfig tTimeo.
     * @member {number} tTimeo
     * @memberof LsConfig
     * @instance
     */
    LsConfig.prototype.tTimeo = 0;

    /**
     * Encodes the specified LsConfig message. Does not implicitly {@link LsConfig.verify|verify} messages.
     * @function encode
     * @memberof LsConfig
     * @static
     * @param {LsConfig.$Properties} message LsConfig message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    LsConfig.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.pol);
        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.tRecalc);
        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.tUpdate);
        writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.tTimeo);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a LsConfig message from the specified reader or buffer.
     * @function decode
     * @memberof LsConfig
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {LsConfig & LsConfig.$Shape} LsConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    LsConfig.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.LsConfig();
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
                    if (wireType !== 0)
                        break;
                    message.pol = reader.uint32();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.tRecalc = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.tUpdate = reader.uint32();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.tTimeo = reader.uint32();
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
        if (!$Object.hasOwnProperty.call(message, "pol"))
            throw $util.ProtocolError("missing required 'pol'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "tRecalc"))
            throw $util.ProtocolError("missing required 'tRecalc'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "tUpdate"))
            throw $util.ProtocolError("missing required 'tUpdate'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "tTimeo"))
            throw $util.ProtocolError("missing required 'tTimeo'", { instance: message });
        return message;
    };

    return LsConfig;
})();

export const DirConfig = $root.DirConfig = (() => {

    /**
     * Properties of a DirConfig.
     * @typedef {Object} DirConfig.$Properties
     * @property {number} pol DirConfig pol
     * @property {DhtConfig.$Properties|null} [dht] DirConfig dht
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a DirConfig.
     * @exports IDirConfig
     * @interface IDirConfig
     * @augments DirConfig.$Properties
     * @deprecated Use DirConfig.$Properties instead.
     */

    /**
     * Shape of a DirConfig.
     * @typedef {DirConfig.$Properties} DirConfig.$Shape
     */

    /**
     * Constructs a new DirConfig.
     * @exports DirConfig
     * @classdesc Represents a DirConfig.
     * @constructor
     * @param {DirConfig.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const DirConfig = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * DirConfig pol.
     * @member {number} pol
     * @memberof DirConfig
     * @instance
     */
    DirConfig.prototype.pol = 0;

    /**
     * DirConfig dht.
     * @member {DhtConfig.$Properties|null|undefined} dht
     * @memberof DirConfig
     * @instance
     */
    DirConfig.prototype.dht = null;

    /**
     * Encodes the specified DirConfig message. Does not implicitly {@link DirConfig.verify|verify} messages.
     * @function encode
     * @memberof DirConfig
     * @static
     * @param {DirConfig.$Properties} message DirConfig message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    DirConfig.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.pol);
        if (message.dht != null && $Object.hasOwnProperty.call(message, "dht"))
            $root.DhtConfig.encode(message.dht, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a DirConfig message from the specified reader or buffer.
     * @function decode
     * @memberof DirConfig
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {DirConfig & DirConfig.$Shape} DirConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    DirConfig.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.DirConfig();
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
                    if (wireType !== 0)
                        break;
                    message.pol = reader.uint32();
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.dht = $root.DhtConfig.decode(reader, reader.size(), $undefined, _depth + 1, message.dht);
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
        if (!$Object.hasOwnProperty.call(message, "pol"))
            throw $util.ProtocolError("missing required 'pol'", { instance: message });
        return message;
    };

    return DirConfig;
})();

export const DhtConfig = $root.DhtConfig = (() => {

    /**
     * Properties of a DhtConfig.
     * @typedef {Object} DhtConfig.$Properties
     * @property {number} alpha DhtConfig alpha
     * @property {number} k DhtConfig k
     * @property {number} tExpire DhtConfig tExpire
     * @property {number} tRefresh DhtConfig tRefresh
     * @property {number} tReplicate DhtConfig tReplicate
     * @property {number|Long} peer DhtConfig peer
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a DhtConfig.
     * @exports IDhtConfig
     * @interface IDhtConfig
     * @augments DhtConfig.$Properties
     * @deprecated Use DhtConfig.$Properties instead.
     */

    /**
     * Shape of a DhtConfig.
     * @typedef {DhtConfig.$Properties} DhtConfig.$Shape
     */

    /**
     * Constructs a new DhtConfig.
     * @exports DhtConfig
     * @classdesc Represents a DhtConfig.
     * @constructor
     * @param {DhtConfig.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const DhtConfig = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * DhtConfig alpha.
     * @member {number} alpha
     * @memberof DhtConfig
     * @instance
     */
    DhtConfig.prototype.alpha = 0;

    /**
     * DhtConfig k.
     * @member {number} k
     * @memberof DhtConfig
     * @instance
     */
    DhtConfig.prototype.k = 0;

    /**
     * DhtConfig tExpire.
     * @member {number} tExpire
     * @memberof DhtConfig
     * @instance
     */
    DhtConfig.prototype.tExpire = 0;

    /**
     * DhtConfig tRefresh.
     * @member {number} tRefresh
     * @memberof DhtConfig
     * @instance
     */
    DhtConfig.prototype.tRefresh = 0;

    /**
     * DhtConfig tReplicate.
     * @member {number} tReplicate
     * @memberof DhtConfig
     * @instance
     */
    DhtConfig.prototype.tReplicate = 0;

    /**
     * DhtConfig peer.
     * @member {number|Long} peer
     * @memberof DhtConfig
     * @instance
     */
    DhtConfig.prototype.peer = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

    /**
     * Encodes the specified DhtConfig message. Does not implicitly {@link DhtConfig.verify|verify} messages.
     * @function encode
     * @memberof DhtConfig
     * @static
     * @param {DhtConfig.$Properties} message DhtConfig message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    DhtConfig.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.alpha);
        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.k);
        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.tExpire);
        writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.tRefresh);
        writer.uint32(/* id 5, wireType 0 =*/40).uint32(message.tReplicate);
        writer.uint32(/* id 6, wireType 0 =*/48).uint64(message.peer);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a DhtConfig message from the specified reader or buffer.
     * @function decode
     * @memberof DhtConfig
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {DhtConfig & DhtConfig.$Shape} DhtConfig
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    DhtConfig.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.DhtConfig();
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
                    if (wireType !== 0)
                        break;
                    message.alpha = reader.uint32();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.k = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.tExpire = reader.uint32();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.tRefresh = reader.uint32();
                    continue;
                }
            case 5: {
                    if (wireType !== 0)
                        break;
                    message.tReplicate = reader.uint32();
                    continue;
                }
            case 6: {
                    if (wireType !== 0)
                        break;
                    message.peer = reader.uint64();
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
        if (!$Object.hasOwnProperty.call(message, "alpha"))
            throw $util.ProtocolError("missing required 'alpha'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "k"))
            throw $util.ProtocolError("missing required 'k'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "tExpire"))
            throw $util.ProtocolError("missing required 'tExpire'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "tRefresh"))
            throw $util.ProtocolError("missing required 'tRefresh'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "tReplicate"))
            throw $util.ProtocolError("missing required 'tReplicate'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "peer"))
            throw $util.ProtocolError("missing required 'peer'", { instance: message });
        return message;
    };

    return DhtConfig;
})();

export {
  $root as default
};
