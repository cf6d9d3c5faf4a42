// Asking before something is done that others feel. A dialog says what will happen,
// does it, and stays open to say why if the hub refuses.

import { $, el, say } from './dom.js'

// confirm asks in the dialog #confirm, and calls act when the answer is yes. What the
// page has the focus on gets it back.
export function confirm({ title, about, action, act }) {
  const dialog = $('confirm')
  say($('confirm-title'), title)
  $('confirm-about').replaceChildren(...[about].flat().map(text => el('p', {}, text)))
  const yes = el('button', { type: 'submit', class: 'danger' }, action)
  $('confirm-yes').replaceChildren(yes)
  open(dialog, yes, act)
}

// open shows a dialog with a form in it, until it is cancelled or act has succeeded.
export function open(dialog, button, act) {
  const form = dialog.querySelector('form')
  const trouble = dialog.querySelector('.trouble')
  say(trouble, '')
  form.onsubmit = async event => {
    event.preventDefault()
    button.disabled = true
    say(trouble, '')
    try {
      await act()
      dialog.close()
    } catch (error) {
      say(trouble, error.message)
    } finally {
      button.disabled = false
    }
  }
  dialog.querySelector('.cancel').onclick = () => dialog.close()
  dialog.showModal()
}
