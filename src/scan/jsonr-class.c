#include "scan/jsonr-state.h"

const uint8_t jsonr_class[256] = {
	['\t'] = CLASS_BLANK,
	['\n'] = CLASS_BLANK,
	['\r'] = CLASS_BLANK,
	[' '] = CLASS_BLANK | CLASS_PLAIN,
	['!'] = CLASS_PLAIN,
	['"'] = CLASS_ESCAPE,
	['#' ... '.'] = CLASS_PLAIN,
	['/'] = CLASS_PLAIN | CLASS_ESCAPE,
	['0' ... '9'] = CLASS_PLAIN | CLASS_DIGIT | CLASS_HEX,
	[':' ... '@'] = CLASS_PLAIN,
	['A' ... 'F'] = CLASS_PLAIN | CLASS_HEX,
	['G' ... '['] = CLASS_PLAIN,
	['\\'] = CLASS_ESCAPE,
	[']' ... '`'] = CLASS_PLAIN,
	['a'] = CLASS_PLAIN | CLASS_HEX,
	['b'] = CLASS_PLAIN | CLASS_HEX | CLASS_ESCAPE,
	['c' ... 'e'] = CLASS_PLAIN | CLASS_HEX,
	['f'] = CLASS_PLAIN | CLASS_HEX | CLASS_ESCAPE,
	['g' ... 'm'] = CLASS_PLAIN,
	['n'] = CLASS_PLAIN | CLASS_ESCAPE,
	['o' ... 'q'] = CLASS_PLAIN,
	['r'] = CLASS_PLAIN | CLASS_ESCAPE,
	['s'] = CLASS_PLAIN,
	['t' ... 'u'] = CLASS_PLAIN | CLASS_ESCAPE,
	['v' ... 0x7f] = CLASS_PLAIN,
};

const uint8_t json_marks[16] __attribute__((aligned(16))) = {
	[0xa] = ':',
	[0xb] = '{', /* and [ */
	[0xc] = ',',
	[0xd] = '}', /* and ] */
};

/* Any other byte differs from the zero that it finds, NUL from the space. */
const uint8_t json_blanks[16] __attribute__((aligned(16))) = {
	[0x0] = ' ',
	[0x9] = '\t',
	[0xa] = '\n',
	[0xd] = '\r',
};
