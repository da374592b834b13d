/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["o7s-directory"] || ($protobuf.roots["o7s-directory"] = {});

export const DhtMessage = $root.DhtMessage = (() => {

    /**
     * Properties of a DhtMessage.
     * @typedef {Object} DhtMessage.$Properties
     * @property {number} code DhtMessage code
     * @property {Contact.$Properties} src DhtMessage src
     * @property {Store.$Properties|null} [store] DhtMessage store
     * @property {Find.$Properties|null} [find] DhtMessage find
     * @property {NodeResponse.$Properties|null} [node] DhtMessage node
     * @property {ValueResponse.$Properties|null} [val] DhtMessage val
     * @property {number|null} [extensions] DhtMessage extensions
     * @property {number|Long|null} [cookie] DhtMessage cookie
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a DhtMessage.
     * @exports IDhtMessage
     * @interface IDhtMessage
     * @augments DhtMessage.$Properties
     * @deprecated Use DhtMessage.$Properties instead.
     */

    /**
     * Shape of a DhtMessage.
     * @typedef {DhtMessage.$Properties} DhtMessage.$Shape
     */

    /**
     * Constructs a new DhtMessage.
     * @exports DhtMessage
     * @classdesc Represents a DhtMessage.
     * @constructor
     * @param {DhtMessage.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const DhtMessage = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * DhtMessage code.
     * @member {number} code
     * @memberof DhtMessage
     * @instance
     */
    DhtMessage.prototype.code = 0;

    /**
     * DhtMessage src.
     * @member {Contact.$Properties} src
     * @memberof DhtMessage
     * @instance
     */
    DhtMessage.prototype.src = null;

    /**
     * DhtMessage store.
     * @member {Store.$Properties|null|undefined} store
     * @memberof DhtMessage
     * @instance
     */
    DhtMessage.prototype.store = null;

    /**
     * DhtMessage find.
     * @member {Find.$Properties|null|undefined} find
     * @memberof DhtMessage
     * @instance
     */
    DhtMessage.prototype.find = null;

    /**
     * DhtMessage node.
     * @member {NodeResponse.$Properties|null|undefined} node
     * @memberof DhtMessage
     * @instance
     */
    DhtMessage.prototype.node = null;

    /**
     * DhtMessage val.
     * @member {ValueResponse.$Properties|null|undefined} val
     * @memberof DhtMessage
     * @instance
     */
    DhtMessage.prototype.val = null;

    /**
     * DhtMessage extensions.
     * @member {number} extensions
     * @memberof DhtMessage
     * @instance
     */
    DhtMessage.prototype.extensions = 0;

    /**
     * DhtMessage cookie.
     * @member {number|Long} cookie
     * @memberof DhtMessage
     * @instance
     */
    DhtMessage.prototype.cookie = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

    /**
     * Encodes the specified DhtMessage message. Does not implicitly {@link DhtMessage.verify|verify} messages.
     * @function encode
     * @memberof DhtMessage
     * @static
     * @param {DhtMessage.$Properties} message DhtMessage message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    DhtMessage.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.code);
        $root.Contact.encode(message.src, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
        if (message.store != null && $Object.hasOwnProperty.call(message, "store"))
            $root.Store.encode(message.store, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
        if (message.find != null && $Object.hasOwnProperty.call(message, "find"))
            $root.Find.encode(message.find, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
        if (message.node != null && $Object.hasOwnProperty.call(message, "node"))
            $root.NodeResponse.encode(message.node, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
        if (message.val != null && $Object.hasOwnProperty.call(message, "val"))
            $root.ValueResponse.encode(message.val, writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
        if (message.extensions != null && $Object.hasOwnProperty.call(message, "extensions"))
            writer.uint32(/* id 100, wireType 0 =*/800).uint32(message.extensions);
        if (message.cookie != null && $Object.hasOwnProperty.call(message, "cookie"))
            writer.uint32(/* id 101, wireType 0 =*/808).uint64(message.cookie);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a DhtMessage message from the specified reader or buffer.
     * @function decode
     * @memberof DhtMessage
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {DhtMessage & DhtMessage.$Shape} DhtMessage
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    DhtMessage.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.DhtMessage();
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
                    message.code = reader.uint32();
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.src = $root.Contact.decode(reader, reader.size(), $undefined, _depth + 1, message.src);
                    continue;
                }
            case 3: {
                    if (wireType !== 2)
                        break;
                    message.store = $root.Store.decode(reader, reader.size(), $undefined, _depth + 1, message.store);
                    continue;
                }
            case 4: {
                    if (wireType !== 2)
                        break;
                    message.find = $root.Find.decode(reader, reader.size(), $undefined, _depth + 1, message.find);
                    continue;
                }
            case 5: {
                    if (wireType !== 2)
                        break;
                    message.node = $root.NodeResponse.decode(reader, reader.size(), $undefined, _depth + 1, message.node);
                    continue;
                }
            case 6: {
                    if (wireType !== 2)
                        break;
                    message.val = $root.ValueResponse.decode(reader, reader.size(), $undefined, _depth + 1, message.val);
                    continue;
                }
            case 100: {
                    if (wireType !== 0)
                        break;
                    message.extensions = reader.uint32();
                    continue;
                }
            case 101: {
                    if (wireType !== 0)
                        break;
                    message.cookie = reader.uint64();
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
        if (!$Object.hasOwnProperty.call(message, "code"))
            throw $util.ProtocolError("missing required 'code'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "src"))
            throw $util.ProtocolError("missing required 'src'", { instance: message });
        return message;
    };

    return DhtMessage;
})();

export const Contact = $root.Contact = (() => {

    /**
     * Properties of a Contact.
     * @typedef {Object} Contact.$Properties
     * @property {Uint8Array} id Contact id
     * @property {number|Long} addr Contact addr
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a Contact.
     * @exports IContact
     * @interface IContact
     * @augments Contact.$Properties
     * @deprecated Use Contact.$Properties instead.
     */

    /**
     * Shape of a Contact.
     * @typedef {Contact.$Properties} Contact.$Shape
     */

    /**
     * Constructs a new Contact.
     * @exports Contact
     * @classdesc Represents a Contact.
     * @constructor
     * @param {Contact.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const Contact = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * Contact id.
     * @member {Uint8Array} id
     * @memberof Contact
     * @instance
     */
    Contact.prototype.id = $util.newBuffer([]);

    /**
     * Contact addr.
     * @member {number|Long} addr
     * @memberof Contact
     * @instance
     */
    Contact.prototype.addr = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

    /**
     * Encodes the specified Contact message. Does not implicitly {@link Contact.verify|verify} messages.
     * @function encode
     * @memberof Contact
     * @static
     * @param {Contact.$Properties} message Contact message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    Contact.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.id);
        writer.uint32(/* id 2, wireType 0 =*/16).uint64(message.addr);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a Contact message from the specified reader or buffer.
     * @function decode
     * @memberof Contact
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {Contact & Contact.$Shape} Contact
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    Contact.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.Contact();
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
                    message.addr = reader.uint64();
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
        if (!$Object.hasOwnProperty.call(message, "addr"))
            throw $util.ProtocolError("missing required 'addr'", { instance: message });
        return message;
    };

    return Contact;
})();

export const Store = $root.Store = (() => {

    /**
     * Properties of a Store.
     * @typedef {Object} Store.$Properties
     * @property {Uint8Array} key Store key
     * @property {Uint8Array} val Store val
     * @property {number} exp Store exp
     * @property {number|null} [life] Store life
     * @property {number|null} [version] Store version
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a Store.
     * @exports IStore
     * @interface IStore
     * @augments Store.$Properties
     * @deprecated Use Store.$Properties instead.
     */

    /**
     * Shape of a Store.
     * @typedef {Store.$Properties} Store.$Shape
     */

    /**
     * Constructs a new Store.
     * @exports Store
     * @classdesc Represents a Store.
     * @constructor
     * @param {Store.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const Store = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * Store key.
     * @member {Uint8Array} key
     * @memberof Store
     * @instance
     */
    Store.prototype.key = $util.newBuffer([]);

    /**
     * Store val.
     * @member {Uint8Array} val
     * @memberof Store
     * @instance
     */
    Store.prototype.val = $util.newBuffer([]);

    /**
     * Store exp.
     * @member {number} exp
     * @memberof Store
     * @instance
     */
    Store.prototype.exp = 0;

    /**
     * Store life.
     * @member {number} life
     * @memberof Store
     * @instance
     */
    Store.prototype.life = 0;

    /**
     * Store version.
     * @member {number} version
     * @memberof Store
     * @instance
     */
    Store.prototype.version = 0;

    /**
     * Encodes the specified Store message. Does not implicitly {@link Store.verify|verify} messages.
     * @function encode
     * @memberof Store
     * @static
     * @param {Store.$Properties} message Store message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    Store.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.key);
        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.val);
        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.exp);
        if (message.life != null && $Object.hasOwnProperty.call(message, "life"))
            writer.uint32(/* id 100, wireType 0 =*/800).uint32(message.life);
        if (message.version != null && $Object.hasOwnProperty.call(message, "version"))
            writer.uint32(/* id 101, wireType 0 =*/808).uint32(message.version);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a Store message from the specified reader or buffer.
     * @function decode
     * @memberof Store
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {Store & Store.$Shape} Store
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    Store.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.Store();
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
                    message.key = reader.bytes();
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.val = reader.bytes();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.exp = reader.uint32();
                    continue;
                }
            case 100: {
                    if (wireType !== 0)
                        break;
                    message.life = reader.uint32();
                    continue;
                }
            case 101: {
                    if (wireType !== 0)
                        break;
                    message.version = reader.uint32();
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
        if (!$Object.hasOwnProperty.call(message, "key"))
            throw $util.ProtocolError("missing required 'key'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "val"))
            throw $util.ProtocolError("missing required 'val'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "exp"))
            throw $util.ProtocolError("missing required 'exp'", { instance: message });
        return message;
    };

    return Store;
})();

export const Find = $root.Find = (() => {

    /**
     * Properties of a Find.
     * @typedef {Object} Find.$Properties
     * @property {number|Long} cookie Find cookie
     * @property {Uint8Array} key Find key
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a Find.
     * @exports IFind
     * @interface IFind
     * @augments Find.$Properties
     * @deprecated Use Find.$Properties instead.
     */

    /**
     * Shape of a Find.
     * @typedef {Find.$Properties} Find.$Shape
     */

    /**
     * Constructs a new Find.
     * @exports Find
     * @classdesc Represents a Find.
     * @constructor
     * @param {Find.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const Find = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * Find cookie.
     * @member {number|Long} cookie
     * @memberof Find
     * @instance
     */
    Find.prototype.cookie = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

    /**
     * Find key.
     * @member {Uint8Array} key
     * @memberof Find
     * @instance
     */
    Find.prototype.key = $util.newBuffer([]);

    /**
     * Encodes the specified Find message. Does not implicitly {@link Find.verify|verify} messages.
     * @function encode
     * @memberof Find
     * @static
     * @param {Find.$Properties} message Find message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    Find.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.cookie);
        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.key);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a Find message from the specified reader or buffer.
     * @function decode
     * @memberof Find
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {Find & Find.$Shape} Find
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    Find.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.Find();
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
                    message.cookie = reader.uint64();
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.key = reader.bytes();
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
        if (!$Object.hasOwnProperty.call(message, "cookie"))
            throw $util.ProtocolError("missing required 'cookie'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "key"))
            throw $util.ProtocolError("missing required 'key'", { instance: message });
        return message;
    };

    return Find;
})();

export const NodeResponse = $root.NodeResponse = (() => {

    /**
     * Properties of a NodeResponse.
     * @typedef {Object} NodeResponse.$Properties
     * @property {number|Long} cookie NodeResponse cookie
     * @property {Uint8Array} key NodeResponse key
     * @property {Array.<Contact.$Properties>|null} [contacts] NodeResponse contacts
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a NodeResponse.
     * @exports INodeResponse
     * @interface INodeResponse
     * @augments NodeResponse.$Properties
     * @deprecated Use NodeResponse.$Properties instead.
     */

    /**
     * Shape of a NodeResponse.
     * @typedef {NodeResponse.$Properties} NodeResponse.$Shape
     */

    /**
     * Constructs a new NodeResponse.
     * @exports NodeResponse
     * @classdesc Represents a NodeResponse.
     * @constructor
     * @param {NodeResponse.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const NodeResponse = function (properties) {
        this.contacts = [];
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * NodeResponse cookie.
     * @member {number|Long} cookie
     * @memberof NodeResponse
     * @instance
     */
    NodeResponse.prototype.cookie = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

    /**
     * NodeResponse key.
     * @member {Uint8Array} key
     * @memberof NodeResponse
     * @instance
     */
    NodeResponse.prototype.key = $util.newBuffer([]);

    /**
     * NodeResponse contacts.
     * @member {Array.<Contact.$Properties>} contacts
     * @memberof NodeResponse
     * @instance
     */
    NodeResponse.prototype.contacts = $util.emptyArray;

    /**
     * Encodes the specified NodeResponse message. Does not implicitly {@link NodeResponse.verify|verify} messages.
     * @function encode
     * @memberof NodeResponse
     * @static
     * @param {NodeResponse.$Properties} message NodeResponse message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    NodeResponse.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.cookie);
        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.key);
        if (message.contacts != null && message.contacts.length)
            for (let i = 0; i < message.contacts.length; ++i)
                $root.Contact.encode(message.contacts[i], writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a NodeResponse message from the specified reader or buffer.
     * @function decode
     * @memberof NodeResponse
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {NodeResponse & NodeResponse.$Shape} NodeResponse
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    NodeResponse.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.NodeResponse();
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
                    message.cookie = reader.uint64();
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.key = reader.bytes();
                    continue;
                }
            case 3: {
                    if (wireType !== 2)
                        break;
                    if (!(message.contacts && message.contacts.length))
                        message.contacts = [];
                    message.contacts.push($root.Contact.decode(reader, reader.size(), $undefined, _depth + 1));
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
        if (!$Object.hasOwnProperty.call(message, "cookie"))
            throw $util.ProtocolError("missing required 'cookie'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "key"))
            throw $util.ProtocolError("missing required 'key'", { instance: message });
        return message;
    };

    return NodeResponse;
})();

export const ValueResponse = $root.ValueResponse = (() => {

    /**
     * Properties of a ValueResponse.
     * @typedef {Object} ValueResponse.$Properties
     * @property {Array.<Uint8Array>|null} [values] ValueResponse values
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */

    /**
     * Properties of a ValueResponse.
     * @exports IValueResponse
     * @interface IValueResponse
     * @augments ValueResponse.$Properties
     * @deprecated Use ValueResponse.$Properties instead.
     */

    /**
     * Shape of a ValueResponse.
     * @typedef {ValueResponse.$Properties} ValueResponse.$Shape
     */

    /**
     * Constructs a new ValueResponse.
     * @exports ValueResponse
     * @classdesc Represents a ValueResponse.
     * @constructor
     * @param {ValueResponse.$Properties=} [properties] Properties to set
     * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
     */
    const ValueResponse = function (properties) {
        this.values = [];
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    /**
     * ValueResponse values.
     * @member {Array.<Uint8Array>} values
     * @memberof ValueResponse
     * @instance
     */
    ValueResponse.prototype.values = $util.emptyArray;

    /**
     * Encodes the specified ValueResponse message. Does not implicitly {@link ValueResponse.verify|verify} messages.
     * @function encode
     * @memberof ValueResponse
     * @static
     * @param {ValueResponse.$Properties} message ValueResponse message or plain object to encode
     * @param {$protobuf.Writer} [writer] Writer to encode to
     * @returns {$protobuf.Writer} Writer
     */
    ValueResponse.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        if (message.values != null && message.values.length)
            for (let i = 0; i < message.values.length; ++i)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.values[i]);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    /**
     * Decodes a ValueResponse message from the specified reader or buffer.
     * @function decode
     * @memberof ValueResponse
     * @static
     * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
     * @param {number} [length] Message length if known beforehand
     * @returns {ValueResponse & ValueResponse.$Shape} ValueResponse
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    ValueResponse.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.ValueResponse();
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
                    if (!(message.values && message.values.length))
                        message.values = [];
                    message.values.push(reader.bytes());
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

    return ValueResponse;
})();

export {
  $root as default
};
