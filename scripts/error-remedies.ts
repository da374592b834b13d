/**
 * What error messages mean and what to do, where the message does not say it: one entry a message, as `error-messages.ts`
 * writes it. `docs/messages.md` is made of both; a message without either is a fault of `npm run generate`.
 */
export const remedies: Readonly<Record<string, string>> = {
  // o7s-testbed: the command line
  'cannot start NODE: MESSAGE':
    'The Node that npm installed beside the package does not run: `npm ci` again, or install Node 24.',
  '--duration DURATION is no number of seconds': 'Write `-d 10`.',
  'without docker: MESSAGE':
    'Only labs on namespaces were looked at; `o7s-testbed doctor` says what is wrong with the engine.',
  'failed on LENGTH of …: …REST':
    'The command ended with another code than 0 on these nodes; what it wrote is above.',
  '--all draws every layer, and --layer or --stack one thing': 'Give one of them.',
  'the seed is no whole number': 'Write `--seed 7`.',
  '--count COUNT is no number of times': 'Write `-c 5`.',
  '--tail TAIL is no number of lines': 'Write `--tail 50`.',
  '--grep … is no regular expression: REASON':
    'Put a backslash before characters that are meant as they are, and quotes around all.',
  'the name of a node is empty': 'There is a comma too many in the list of nodes.',
  '--repeat REPEAT is no number of runs': 'Write `--repeat 10`.',
  'the seed SEED is no whole number from 0 up': 'Write `--seed 7`.',
  'the lab name … FAULT': 'Choose another with `--lab NAME`: a to z, 0 to 9, and hyphens inside.',
  'the lab name LAB FAULT': 'Choose another with `--lab NAME`: a to z, 0 to 9, and hyphens inside.',
  'without the labs of docker: MESSAGE':
    'Only labs on namespaces are listed; `o7s-testbed doctor` says what is wrong with the engine.',
  'a top-level await never ends: nothing is left that it could wait for':
    'The topology file awaits a promise that nobody fulfils: take the `await` away.',
  'parameter NAME is set twice': 'Give each `--set NAME=VALUE` once.',
  'cannot VERB …: …':
    'The rest is what the system said: most often the file is not there, or the user may not.',
  // Building labs
  'there is no IPCP IPCP':
    'It has gone since it was made: `o7s-testbed logs NODE` says why; `up` again makes it anew.',
  'node NODE: cannot write to the hosts file: REASON':
    'The rest is what the system said; the disk may be full.',
  'node NODE: irmd did not WHAT in … s':
    'The machine is very busy, or irmd hangs: `o7s-testbed logs NODE`; fewer at a time with `--jobs 1`.',
  'node NODE: cannot WHAT: MESSAGE': 'The rest is what irmd said; look it up here.',
  'node NAME: its irmd has ended; by that: MESSAGE':
    '`o7s-testbed logs NODE` has its last words; a limit of `memory` may be too low.',
  'WHAT ended before it was ready':
    'The command of a server ended at once; the lines below are its log. Try it by hand: `o7s-testbed exec NODE -- COMMAND`.',
  'irmd has ended': '`o7s-testbed logs NODE` has its last words; `up` again starts it.',
  'there is no IPCP NAME': '`irm ipcp list` shows those there are.',
  'waited … s for WHAT':
    'The machine is very busy, or what is waited for hangs: `o7s-testbed logs` shows how far it came; try again.',
  'process PID, which held the namespaces, has ended':
    'The lab or the node has ended meanwhile: `o7s-testbed ls` shows what is there; `up` again mends it.',
  // Links
  'cannot WHAT: a node it ends in is gone':
    'The node was stopped or ended meanwhile: `o7s-testbed start NODE`, and again.',
  'cannot lock WHAT: MESSAGE': 'Another command works at the same link or lab; try again when it has ended.',
  'cannot make PLACE: INTERFACE of NODE is there already':
    'Something on the node has made an interface of that name: remove it, or name another with `port()`.',
  'link LINK does not end in node NODE': '`o7s-testbed link show` lists links with their ends.',
  'PLACEcannot WHAT: REASON': 'The rest is what `ip` said; `o7s-testbed doctor` looks for what is missing.',
  'the lab is not there yet': 'The view shows a lab that is being built: wait until it is up.',
  'cannot capture on link LINK into FILE: REASON':
    'Write where you may, with `capture -w FILE` or a view started in another folder; or the lab has ended.',
  'there is no method METHOD':
    'Two versions of o7s-testbed meet: the lab was built by another one. `down`, and `up` again.',
  // Topology files
  'WHAT is TEXT, …s is the most': 'Give less.',
  'WHAT is TEXT, 100% is the most': 'Give a share of 0% to 100%.',
  'WHAT of the topology is not a list': 'Write it in brackets: `nodes: [a, b]`.',
  'WHAT[INDEX] of the topology is not one of its WHAT':
    'A list has something else in it, or undefined: look whether a variable is misspelt.',
  'node END has an adjacency in layer NAME, which it is not in':
    'Add the node to a layer below, or take the pair away.',
  'the KIND nameSHOWN FAULT': 'Choose another name; [topologies.md](topologies.md) has the rules.',
  'tun of node NAME is neither true nor false': 'Write `tun: true`.',
  'the runtime of node NAME is none': "Make one with `runtime('NAME', { prefix })`.",
  'KEY of node NAME is not a text': 'Put it in quotes.',
  'node NAME has both an image and a runtime':
    'The image of a runtime is that of `runtime()`: leave one of them out.',
  'cpus of node NAME is …': 'Give a number above 0, such as 0.5.',
  'memory of node NAME is MEMORY, less than a node takes': "Give more, such as '128MB'.",
  'irmd of node NAME is not a list of words': "Write `irmd: ['--ipcpd', 'process']`.",
  'layers of server NAME is not a list': 'Write `layers: [net]`.',
  'layers OTHER and NAME both use WHAT on link LINK':
    'Give one of them another ethertype or port, or leave one out.',
  // Storyboards
  'there is no command to run on …': "Write `run('a', ['hostname'])`.",
  '… is no part of a topology, and no name of one': 'Give a node, link or IPCP, or its name.',
  'the topology has no IPCP IPCP': 'IPCPs are called LAYER.NODE; `up --dry-run` lists them.',
  'IPCP IPCP is not there': 'It has gone before the step: was its node stopped?',
  'cannot kill IPCP IPCP: …': 'The rest is what the node said.',
  'node NAME: … ended with CODE': 'The command of this step failed; `results.json` has what it wrote.',
  'node FROM: no ping of TO: ERROR':
    'Nobody answered: the name is not registered in a layer of that node, or the path is broken at that time.',
  'NAME is no layer over others, so that it does not converge': 'Name a unicast or broadcast layer.',
  'waited … s for layer NAME to converge': 'A part of the layer is cut off, or the time given is too short.',
  'the storyboard has no topology': 'Write `storyboard({ topology, ... }, ...)`.',
  'the storyboard does not say what happens': 'Its second argument is a function that takes the story.',
  'every TIME is without end': 'Give the storyboard a duration.',
  'there is nothing that may fail': 'Give `faults` links or nodes.',
  'the storyboard has more than … steps': 'Let `every` be rarer, or the duration shorter.',
  'one of the values of parameter NAME is empty': 'There is a comma too many behind `--set`.',
  'the sweep has … runs, … is the most': 'Give fewer values, or a smaller `--repeat`.',
  // Testbeds
  'node NODE: no permission to use its irmd':
    'The lab is that of another user, or its node runs irmd as one.',
  'its container has ended':
    '`docker logs` of the container says why; `o7s-testbed down` takes the rest of the lab away.',
  'debootstrap failed: LINE':
    'It takes root, a mirror of Debian that can be reached, and room on the disk; the line is its last.',
  'the Docker engine did not WHAT in … s': 'It is very busy or hangs: `docker info`; then try again.',
  'cannot WHAT: REASON': 'The rest is what the Docker engine said.',
  'cannot make node NAME of image IMAGE: MESSAGE':
    'The image has to have Node 24, iproute2 and the runtime: `o7s-testbed image build`.',
  'node …: cannot start …: MESSAGE': 'The program is not on the node, or may not be run there.',
  'node …: cannot start …: …': 'The program is not on the node, or may not be run there.',
  'node …: cannot make folder FOLDER: REASON': 'The rest is what the system said.',
  'cannot make node NAME: …':
    'The rest is what `unshare` said; `o7s-testbed doctor` looks for what is missing.',
  'lab … was ended while it was made':
    'Something ended its first process: another `down`, or the system for lack of memory.',
  'cannot start the wire: …':
    'The process that carries impaired frames did not come up: `npm run build` in a clone.',
  // IPCPs
  'no names are registered in a broadcast layer': 'Applications join such a layer by its own name.',
  'the flow below was released': 'The connection of two IPCPs went with it; it is made again by itself.',
  'WHO sent no connection record':
    'What answered is no IPCP of such a layer: look at the name that was connected to.',
  'WHO did not answer': 'It has gone, or frames are lost: try again.',
  'there are too many layers one over another below':
    'Each layer adds a header: take levels away, or a larger MTU.',
  'the peer ended it at once': 'Its log says why it refuses.',
  'the peer has no component NAME, or refuses this one': 'Both IPCPs have to be of one type, in one layer.',
  'the peer speaks THEIRS for NAME':
    'The two members have different policies for this component: bootstrap the layer with one that both have.',
  'DESTINATION ended the enrolment': 'Its log says why; it may be about to leave the layer.',
  'DESTINATION did not answer the enrolment': 'It has gone, or frames are lost: try again.',
  'the IPCP is in a layer already, or is about to be': 'Destroy it and make it anew to join another.',
  'WHO gave no valid answer to the enrolment':
    'What answered is no IPCP of such a layer: look at the name that is enrolled with.',
  'WHO told nothing of its layer': 'It is not in a layer itself: bootstrap or enrol it first.',
  'WHO is not in a … layer': 'Make the IPCP of the type that the layer has.',
  'WHO is in layer CONFIG, not in LAYER': 'Enrol with a member of the layer that is meant.',
  'the layer tells none of its settings': 'The member that was enrolled with is of another version.',
  'the layer has WHAT VALUE, which is not supported':
    'The layer was bootstrapped with a policy that this runtime has not.',
  'ipcpd has no method METHOD': 'irmd and ipcpd are of different versions: install the package anew.',
  'IPCPs of type TYPE are not part of this build':
    'irmd and ipcpd are of different versions: install the package anew.',
  'a layer of type TYPE is not joined': 'Only broadcast layers are; allocate a flow to a name instead.',
  'there is no IPCP PID': '`irm ipcp list` shows those there are.',
  'an IPCP of type TYPE neither enrols nor connects':
    'Members of Ethernet and udp layers find each other: bootstrap each of them.',
  'the other end would have to connect': 'The two ends asked each other at once; it is tried again.',
  'IP is not WANTED address': 'Give an address of this machine, of the family of the type.',
  'the DNS server DNS has no IPvFAMILY address': 'Give the server by an address of the family of the type.',
  'the peer has no address': 'It is not in the layer yet; it is tried again.',
  'NAME is no unicast layer': 'Enrol with a member of one.',
  // irmd
  'user UID has HELD WORDS open on this node, its share':
    'Programs of this user hold too many at once: end or close some. Users share what a node has.',
  'the data plane crashed':
    'ipcpd has ended: the log of irmd has its last words. irmd has started another, without IPCPs: bootstrap them anew, or `up` again.',
  'cannot start ipcpd: MESSAGE':
    'The installation is incomplete: install the package anew, or `npm run build` in a clone.',
  'no answer from NAME in time':
    'The other end knows the name and nobody accepts, or the way is broken: look whether its server runs.',
  'no IPCP of this node is in a layer …': '`irm ipcp list` shows the layers of this node.',
  'NAME was known in LAYER but no longer answers':
    'Its node has gone, or the way to it; try again when it is back.',
  'the handshake with NAME failed: WHY':
    'Keys, certificates or ciphers of the two ends do not agree: [encryption.md](encryption.md).',
  'an IPCP needs a name': 'Give `name NAME`.',
  'IPCP ENTRY is of type TYPE, which has no connections': 'Only unicast and broadcast IPCPs are connected.',
  'name NAME does not exist': '`irm name list` shows those there are; `irm name create NAME` makes one.',
  'KEY is bound to ENTRY already': 'Nothing is to be done; `irm unbind` undoes it.',
  'KEY is not bound to …': '`irm name list` shows what is bound.',
  'process PID is bound to ENTRY already': 'Nothing is to be done; `irm unbind` undoes it.',
  'process PID is not bound to …': '`irm name list` shows what is bound.',
  'there is no method …':
    'The client and irmd are of different versions: [rpc.md](rpc.md) has the methods of this one.',
  'this connection has announced a process already':
    'A connection is one process: open another ([rpc.md](rpc.md)).',
  'this process is in a process namespace irmd cannot see':
    'irmd cannot know who it is: run it in a process namespace of irmd or below.',
  // The library
  'the other end went away before it had sent everything':
    'What came is not all: the other end was killed, or the way broke. Ask again.',
  'the layer carries no byte of this flow':
    'Headers and protection take all of the MTU: a larger MTU, or fewer layers.',
  '0… is no combination of flow flags': 'Use the values of `flowFlag`.',
  'there is no room to read into': 'Give a buffer with at least one byte.',
  'flow FD has a stream already':
    'Use the stream that `flow.stream()` has given, and read the flow by nothing else.',
  'the QoS of this flow asks for no order: it has no FRCT': 'Allocate the flow with `{ qos: dataQos }`.',
  'the other end has not read for more than a second': 'It is too slow, or hangs; messages would be lost.',
  'flow FD is closed': 'The program uses a flow after `close()`.',
  'flow FD is write-only': 'Its flags forbid reading: `flow.flags`.',
  'the other end sends nothing more': 'It has called `finish()`: there is nothing left to read.',
  'flow FD is read-only': 'Its flags forbid writing: `flow.flags`.',
  'flow FD was finished': 'Nothing may be written after `finish()`.',
  'the device below the flow is down':
    'The interface was set down or its link is down: `ip link`, `o7s-testbed link up LINK`. The flow goes on when it is back.',
  'flow FD is set down': 'Its flags say so: `flow.flags`.',
  'there is no cipher …':
    '`enc.conf` names one that this Node does not have: [encryption.md](encryption.md).',
  'METHOD is not served by a process': 'irmd is of another version.',
  'the flow went down while it was picked up': 'The other end, or the layer, released it: allocate again.',
  'this process has SIZE flows open': 'Close flows that are no longer used.',
  'the other end did not come': 'It was killed before it had taken the flow: allocate again.',
  'a timeout is a number of ms from 0 up, not MS': 'Give milliseconds.',
  'the key for … cannot sign': 'Give a key of type EC, RSA, Ed25519 or ML-DSA.',
  'no EXCHANGE key of the server of CLIENT is known':
    'The client has none for this `kex`: choose another in `enc.conf`.',
  'METHOD is not served by a client': 'irmd is of another version.',
  'connecting to PATH was cancelled': 'The signal that was given did it.',
  'the control connection closed': 'irmd has ended: start it again; flows of this process are gone with it.',
  'too many requests are open on this node': 'Wait for answers before asking more.',
  'an error without text': 'The other end of the connection is of another version.',
  // Tools
  'there are no IPCPs': 'Make one: `irm ipcp bootstrap`.',
  'an IPCP of type TYPE does not enrol':
    'Members of Ethernet and udp layers find each other: bootstrap each of them.',
  'the flow carries no more than MTU bytes at once': 'ovpn needs 1280: a larger MTU below, or fewer layers.',
  'the other end gives no sign of life': 'ovpn at the other end, or the way to it, has gone.',
  'flow FD was released by the other end, or by the layer': 'Start ovpn again when the other end is back.',
  'Could not announce to IRMd.':
    'No irmd runs on this node, or the tool may not reach it; the next line says which. `irmd` starts one.',
  'Failed to bind PID to NAME.': 'The next line says why.',
  'Failed to bind PID to SERVED.': 'The next line says why.',
  'Unknown option: "WORD".': '`irm ipcp bootstrap help` lists all.',
  'Unknown parameter for …: "…".': '`irm ipcp bootstrap help` lists all.',
  'Invalid Ethertype: "…". Recommended range: 0xA000-0xEFFF.': 'Give one of that range.',
  'Invalid port: "…".': 'Give 1 to 65535.',
  'Invalid FAMILY address: "IP".': 'Give an address of the family of the type.',
  'Invalid DNS FAMILY address: "DNS".': 'Give an address of the family of the type.',
  'Failed to communicate with the Ouroboros IPC Resource Manager daemon.':
    'No irmd runs on this node, or the user may not manage it: `irmd` starts one; root and the group ouroboros may.',
  'Failed to enroll IPCP.': 'The next line says why.',
  'Unknown QoS cube, defaulting to raw.': 'Names are raw, best, video, voice, data and, for obc, message.',
  'Failed to check path PATH: … .USAGE': 'The file of a key or certificate is not there, or may not be read.',
  'a word is missing or wrong': 'The rest names the command that prints how it is written.',
  'Too many IPCPs specified.': 'Give fewer in one command.',
  'Too many layers specified.': 'Give fewer in one command.',
  'Failed to list IPCPs.': 'There is none that matches; `irm ipcp list` shows those there are.',
  'Failed to register with …': 'The next line says why.',
  'Failed to join broadcast.':
    'No IPCP of this node is in that layer, or it is no broadcast layer: `irm ipcp list`.',
  'Failed to read.': 'The flow is down; the next line says why.',
  'Failed to write packet.': 'The flow is down or does not take it; the next line says why.',
  'Failed to read packet.': 'The flow is down, or nothing came in time; the next line says why.',
  'Failed to send packet.': 'The flow is down or does not take it; the next line says why.',
  'Failed to allocate flow.': 'Nobody serves the name, or the way is broken; the next line says which.',
  'Failed to allocate flow: ERRNO.':
    'Nobody serves the name, or the way is broken; the next line says which, the number is among the codes below.',
  'Failed to accept flow.': 'irmd has gone, or the handshake with a client failed; the next line says which.',
  'Failed to accept flow: ERRNO':
    'irmd has gone, or the handshake with a client failed; the next line says which.',
  'Invalid rate.': 'Give a number of bits a second, with k, M or G.',
  'Server timed out.': 'Nothing came back for two seconds: the server or the way to it has gone.',
  'Invalid config message.': 'A client that is no operf, or of another version.',
  'Invalid message on fd FD.': 'A client that is no such tool.',
  'Unknown time unit: ….': 'Use ms, s, m, h or d.',
  'Unknown rate unit: ….': 'Use k, M or G.',
  'Invalid test type.': 'Use uni or bi.',
  'Invalid id.': 'A reply to a request that this run did not make.',
  'Failed to open tunnel device.':
    'It takes /dev/net/tun and CAP_NET_ADMIN: in a lab `node(NAME, { tun: true })`, elsewhere root and `modprobe tun`.',
  'Invalid IP address: VALUE.': 'Give it like 10.8.0.1.',
  'Invalid subnet mask: VALUE.': 'Give it like 255.255.255.0.',
  'Unknown arguments specified: …': '`ovpn --help` lists options.',
  // Logs
  'Error receiving OCEP info: ….': 'Another IPCP connected and said nothing in time.',
  'Failed to allocate flow to DESTINATION.':
    'The member below it is not reached now; it is tried again by itself.',
  'Handshake is no connection record.': 'Something that is no IPCP connected; it was refused.',
  'No such component: COMPONENT': 'A peer of another type or version connected; it was refused.',
  'Refused to connect COMPONENT: MESSAGE.': 'A peer with other policies connected; it was refused.',
  'Failed to bootstrap IPCP.': 'The line before says why.',
  'Enrolment with DESTINATION failed: MESSAGE.': 'The rest says why; look it up here.',
  'Connecting WHAT to DESTINATION failed: MESSAGE.': 'The rest says why; look it up here.',
  'Failed to WHAT: IPCP in state <operational>, need <boot>.':
    'It is in a layer already: destroy it and make it anew.',
  'The DNS server … did not take the update for NAME: MESSAGE.':
    'It has to allow updates of its zone from this address; the name is not found by others meanwhile.',
  'Failed to load configuration.':
    'The line before names the line of the file and the fault: [configuration.md](configuration.md).',
  'Failed to load config file.': 'The line before says why; irmd runs without it.',
  'ipcpd PID failed to boot.':
    'The machine is very busy or the installation incomplete; the lines of ipcpd before say which.',
  'ipcpd PID ended with …; its IPCPs and flows are gone.':
    'irmd starts an empty one; bootstrap its IPCPs anew. Where it was not killed on purpose, this is a fault worth a report.',
  'Flow allocation timed out.': 'The other end knows the name and nobody accepts, or the way is broken.',
  'Name NAME does not exist.': '`irm name list` lists those there are; `irm name create NAME` makes one.',
  'Name NAME already bound to program PROGRAM.':
    '`irm unbind program PROGRAM name NAME` first, to bind it otherwise.',
  'Name NAME not bound to program PROGRAM.': 'It is bound to other names only.',
  'Could not find ….':
    'There is no such name, or the program is bound to none; programs are known by the name of their file.',
  'Process PID already bound to name NAME.':
    'There is nothing to do; `irm unbind process PID name NAME` takes it back.',
  'Could not find name NAME.': '`irm name list` lists those there are.',
  'Could not find process PID.': 'It has ended, or does not use the Ouroboros library.',
  'Process PID not bound to ….':
    'There is nothing to take back; `irm events` lists what processes are bound to.',
  'No IPCP for … not found.': 'A process asked to join a layer that this node is not in.',
  'Failed to get IPCP for layer ….': 'A process asked to join a layer that this node is not in.',
  'Flow join with layer … failed.': 'That layer is no broadcast layer.',
  'The handshake for ENTRY has LENGTH bytes, too many for its layer.':
    'Choose another `kex`, or a smaller certificate: [encryption.md](encryption.md).',
  'No active process for ENTRY.':
    'Its server does not run, or has ended, and no program is bound to be started.',
  'Failed to get name info for NAME.': 'A process asked for a name that neither this node nor a layer knows.',
  'Failed to find IPCP for NAME.': 'No layer of this node knows the name: register it in one.',
  'Flow allocation … failed.': 'The process that asked was told why.',
  'Not starting PATH for ENTRY: RUNNING were started and run.':
    'As many as are allowed run already and do not accept.',
  'Failed to start PATH for ENTRY.': 'The program is not there any more, or may not be run.',
  'SESSION OAP request for NAME refused: ERROR, FAULT.':
    'A client offered a handshake that the configuration of the name forbids: [encryption.md](encryption.md).',
  'SESSION OAP request for NAME refused: ECRYPT, ….':
    'A CTR cipher does not go with FRCT: choose a GCM or ChaCha cipher in `enc.conf`.',
  '… OAP request for NAME refused: FAULT.': 'A request that is no handshake, or a replay.',
  'SESSION OAP response for NAME refused: FAULT.':
    'The server did not prove what the configuration of the client asks for: [encryption.md](encryption.md).',
  'SESSION OAP response for NAME refused: ….':
    'A CTR cipher does not go with FRCT: choose a GCM or ChaCha cipher in `enc.conf`.',
  'Cannot use MESSAGE.':
    'The file named is of no use for its purpose; the rest says why: [encryption.md](encryption.md).',
  'Failed to spawn ipcpd: MESSAGE.':
    'The installation is incomplete or the machine out of processes; the rest is what the system said.',
  'Failed to spawn IPCP NAME.': 'The line before says why.',
  'Failed to create IPCP.': 'There is one of that name, or ipcpd could not be started; `irm` was told which.',
  'Could not bootstrap IPCP.': '`irm` was told why.',
  'Could not enroll IPCP PID.': '`irm` was told why.',
  'Cannot establish connections for this IPCP type.': 'Only unicast and broadcast IPCPs are connected.',
  'Could not connect IPCP PID to DESTINATION.': '`irm` was told why.',
  'Cannot tear down connections for this IPCP type.': 'Only unicast and broadcast IPCPs are connected.',
  'Could not disconnect IPCP.': '`irm` was told why.',
  'IPCP PID (ENTRY) crashed.': 'Its process has ended; bootstrap it anew, or `up` again.',
  'Failed to destroy name NAME.': 'There is no such name.',
  'Could not register … with IPCP PID.': '`irm` was told why.',
  'Failed to get name NAME.': 'There is no such name.',
  'Could not unregister NAME with IPCP PID.': '`irm` was told why.',
  'Failed to bind program PROGRAM to name NAME': 'It is bound already.',
  'Failed to unbind PROGRAM…': 'It is not bound.',
  'Failed to add name NAME to process PID.': 'It is bound already.',
  'Failed to unbind PID…': 'It is not bound.',
  'Process PID does not exist|does not respond.':
    '`bind process` is for processes that use the library: start it first, or bind its program.',
  'DIRECTORY is too long for a run directory: set O7S_RUN_DIR to one of … bytes at most.':
    'Sockets have short paths: choose a folder nearer to the root.',
  'Cannot use DIRECTORY: MESSAGE. Run as root, or set O7S_RUN_DIR.':
    'Only root may write to /run: `O7S_RUN_DIR=$XDG_RUNTIME_DIR/ouroboros irmd`.',
  'Cannot write the RIB: MESSAGE.': 'The folder of `--rib` is not there or may not be written.',
};
