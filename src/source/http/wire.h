/*
 * wire.h - what the supervisor and its HTTP child say to each other.
 *
 *	supervisor				child
 *
 *	CA (data) ...		once
 *	REQUEST, SEND (data) ...
 *						CONNECT
 *	SOCKET (a descriptor, or none)
 *						HEAD
 *						BODY (data) ...
 *						DONE
 */
#ifndef SOURCE_HTTP_WIRE_H
#define SOURCE_HTTP_WIRE_H

enum http_message {
	HTTP_CA = 1,
	HTTP_REQUEST, /* method, url, idle, total, max_body, body length, n,
			 then n lines "Name: value" */
	HTTP_SEND,
	HTTP_SOCKET,
	HTTP_CONNECT, /* nothing: the supervisor knows where */
	HTTP_HEAD,    /* status, lines "Name: value\n" */
	HTTP_BODY,
	HTTP_DONE, /* enum http_end, why, encoding, bytes on the wire */
};

#define HTTP_CA_MAX (4u << 20)
#define HTTP_SEND_MAX (16u << 20) /* bytes of a request's body */

#endif
